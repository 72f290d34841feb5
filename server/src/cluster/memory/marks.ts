import type { Marks } from '../marks.ts'

/** Marks in the memory of one process: they end with it. */
export class MemoryMarks implements Marks {
  readonly #marks = new Map<string, number>()

  async raise(name: string, value: number): Promise<number> {
    const mark = Math.max(value, this.#marks.get(name) ?? 0)
    this.#marks.set(name, mark)
    return mark
  }

  async read(name: string): Promise<number> {
    return this.#marks.get(name) ?? 0
  }
}
