import type { LogStore } from '../store/logs.ts'
import type { Outlet } from './outlet.ts'
import type { LiveReads } from './parts.ts'
import type { Topic } from './topic.ts'

const PAGE_LINES = 1000
/** Between two readings of a log that grows: many small chunks become one message. */
const GATHER_MS = 50

export interface LogTopicParts {
  readonly id: number
  readonly name: string
  readonly instanceId: number
  readonly after: number
  readonly outlet: Outlet
  readonly logs: LogStore
  readonly reads: LiveReads
  readonly onError: (error: unknown) => void
}

/**
 * The lines of one run. It always reads the store after the last line that it sent, and a hint only says that there is something to read: so there is no
 * gap and no repeat, whatever is lost or comes twice, and a reader that stops costs nothing but its place.
 */
export class LogTopic implements Topic {
  readonly #parts: LogTopicParts
  #after: number
  #newest = 0
  #isWanted = true
  #isRunning = false
  #isClosed = false
  #hasEnded = false
  #timer: NodeJS.Timeout | null = null

  constructor(parts: LogTopicParts) {
    this.#parts = parts
    this.#after = parts.after
    this.kick(0)
  }

  /** There may be lines up to `seq`. */
  kick(seq: number): void {
    this.#newest = Math.max(this.#newest, seq)
    this.#isWanted = true
    if (this.#isRunning || this.#isClosed || this.#timer !== null) return
    this.#isRunning = true
    void this.#run()
      .catch(this.#parts.onError)
      .finally(() => {
        this.#isRunning = false
        if (this.#isWanted && !this.#isClosed) this.#later()
      })
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.kick(0)
    }, GATHER_MS)
  }

  #wasClosed(): boolean {
    return this.#isClosed
  }

  async #run(): Promise<void> {
    while (this.#isWanted && !this.#isClosed && !this.#parts.outlet.isClosed) {
      this.#isWanted = false
      const hasMore = await this.#parts.outlet.turn(
        () => this.#sendPage(),
        () => this.#tellBehind(),
      )
      if (hasMore === true) this.#isWanted = true
      else return
    }
  }

  #tellBehind(): void {
    const { outlet, id, name } = this.#parts
    outlet.send({ type: 'behind', id, topic: name, from: this.#after, to: Math.max(this.#newest, this.#after) })
  }

  /** Reads and sends one page; true when the store may have more right now. */
  async #sendPage(): Promise<boolean> {
    const { id, name, instanceId, logs, outlet, reads } = this.#parts
    if (this.#wasClosed()) return false
    const hasEnded = this.#hasEnded || ((await reads.run(instanceId))?.hasEnded ?? true)
    const page = await logs.read(instanceId, { after: this.#after, limit: PAGE_LINES, ended: hasEnded })
    // Unsubscribed while it was read.
    if (this.#wasClosed()) return false
    const isFirstEnd = page.end && !this.#hasEnded
    if (page.end) this.#hasEnded = true
    const moved = page.next !== this.#after
    this.#after = page.next
    if (page.lines.length > 0 || isFirstEnd)
      outlet.send({ type: 'event', id, topic: name, seq: page.next, data: { lines: page.lines, ...(page.end ? { end: true } : {}) } })
    return moved && !page.end
  }
}
