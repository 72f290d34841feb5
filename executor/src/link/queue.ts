const COMPACT_AT = 1_024

/** First in, first out; both ends in constant time, which an array's `shift` is not. */
export class Queue<Item> {
  #items: (Item | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  peek(): Item | undefined {
    return this.#items[this.#head]
  }

  shift(): Item | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    // what was taken must not stay alive
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) this.#compact()
    return item
  }

  /** Puts items before the first; the first of them becomes the head. */
  unshift(items: readonly Item[]): void {
    this.#items = [...items, ...this.#items.slice(this.#head)]
    this.#head = 0
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
