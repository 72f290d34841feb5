/** A map by texts that forgets what was used least recently once all its texts together are longer than allowed. */
export class TextCache<Value> {
  readonly #maxCharacters: number
  readonly #entries = new Map<string, Value>()
  #characters = 0

  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters
  }

  get size(): number {
    return this.#entries.size
  }

  get(text: string): Value | undefined {
    const value = this.#entries.get(text)
    if (value === undefined) return undefined
    this.#entries.delete(text)
    this.#entries.set(text, value)
    return value
  }

  /** The text must not be known yet. */
  add(text: string, value: Value): void {
    this.#entries.set(text, value)
    this.#characters += text.length
    for (const oldest of this.#entries.keys()) {
      if (this.#characters <= this.#maxCharacters) return
      this.#entries.delete(oldest)
      this.#characters -= oldest.length
    }
  }
}
