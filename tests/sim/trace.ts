import type { Timeline } from './timeline.ts'

/** What happened, in order, one line each. Kept only when somebody wants to read it: `line` is called with a function, so that nothing is built otherwise. */
export class Trace {
  readonly #lines: string[] | null
  readonly #timeline: Timeline

  constructor(timeline: Timeline, isKept: boolean) {
    this.#timeline = timeline
    this.#lines = isKept ? [] : null
  }

  get isKept(): boolean {
    return this.#lines !== null
  }

  line(text: () => string): void {
    this.#lines?.push(`${String(this.#timeline.now).padStart(7)} ${text()}`)
  }

  get text(): string {
    return (this.#lines ?? []).join('\n')
  }
}
