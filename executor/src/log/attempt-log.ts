/**
 * The log of one attempt: numbers its lines from 1, gathers them into chunks with fixed borders and keeps the whole within a limit.
 *
 *   head  3/4 of the limit: chunks leave at once (after 50 ms, 256 KiB or 500 lines)
 *   cut   a `system` line says that from here on only the end is kept
 *   tail  1/4 of the limit: the last lines wait in memory; at the end of the attempt a `dropped` chunk stands for those between, with
 *         their numbers, and the tail follows
 *
 * So numbers have no holes: `lines` of the totals is the number of the last one, dropped ones included. Each line counts 16 bytes beside
 * its text towards the limit, so that empty lines are bounded, too.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { FRAME_LIMITS, LOG_LEVELS, LOG_STREAMS, type LogLevel, type LogStream } from '@tickwheel/contract'
import type { Masker } from '@tickwheel/core'
import { isWholePiece, piecesOf } from './line-splitter.ts'
import { LINE_COST, LogTail } from './log-tail.ts'

/** Lines `firstSeq` … as the text of a JSON array, or a number of lines that were lost. */
export interface LogChunk {
  readonly firstSeq: number
  readonly count: number
  readonly linesJson: string
  readonly dropped: number
}

export interface LogTotals {
  readonly lines: number
  readonly bytes: number
  readonly dropped: number
}

/** Where chunks go. */
export interface LogDrain {
  hasRoom(bytes: number): boolean
  /** false: the chunk could not be kept; it counts as dropped. A chunk that only says what was dropped is always taken. */
  send(chunk: LogChunk): boolean
  /** the reader is behind: what can wait should wait */
  isCongested(): boolean
  /** resolves when it is no longer congested */
  relieved(): Promise<void>
}

export interface AttemptLogOptions {
  readonly limitBytes: number
  readonly drain: LogDrain
  readonly now: () => number
  readonly flushAfterMs: () => number
  /** hides the secrets of the run before anything is kept; null: it was given none */
  readonly masker?: Masker | null
}

const LINES_PER_CHUNK = 500
const HEAD_SHARE = 0.75

export class AttemptLog {
  readonly #options: AttemptLogOptions
  readonly #headLimit: number
  #headUsed = 0
  #tail: LogTail | null = null
  #nextSeq = 1
  #bytes = 0
  #dropped = 0
  #chunk: string[] = []
  #chunkBytes = 0
  #unsentDrop = { firstSeq: 0, count: 0 }
  #timer: NodeJS.Timeout | null = null
  #hasEnded = false
  /** by stream, what ended a line that was cut at its limit and may begin a secret */
  readonly #carries = new Map<LogStream, string>()

  constructor(options: AttemptLogOptions) {
    this.#options = options
    this.#headLimit = Math.floor(options.limitBytes * HEAD_SHARE)
  }

  /** Writes a text, which may hold several lines. Nothing happens after the end. */
  write(stream: LogStream, level: LogLevel, text: string): void {
    for (const line of text.split('\n')) for (const piece of piecesOf(line)) this.line(stream, level, piece)
  }

  /** Writes one line of at most 64 KiB that holds no line feed. */
  line(stream: LogStream, level: LogLevel, printed: string): void {
    if (this.#hasEnded) return
    const text = this.#masked(stream, printed)
    const at = this.#options.now()
    const kind: readonly [number, number] = [LOG_STREAMS.indexOf(stream), LOG_LEVELS.indexOf(level)]
    const bytes = Buffer.byteLength(text)
    this.#bytes += bytes
    if (this.#tail === null && this.#headUsed + bytes + LINE_COST > this.#headLimit) this.#cut(at)
    this.#headUsed += bytes + LINE_COST
    if (this.#tail === null) this.#append(at, kind[0], kind[1], text)
    else this.#tail.push([at, kind[0], kind[1], text], bytes)
  }

  /** The end of a line ends what may be a secret, unless the line goes on in the next one. */
  #masked(stream: LogStream, text: string): string {
    const masker = this.#options.masker ?? null
    if (masker === null) return text
    const before = this.#carries.get(stream) ?? ''
    const goesOn = isWholePiece(text)
    if (before === '' && !goesOn) return masker.text(text)
    const { lines, carry } = masker.lines([text], before)
    this.#carries.set(stream, goesOn ? carry : '')
    return lines[0] ?? ''
  }

  get isCongested(): boolean {
    return this.#options.drain.isCongested()
  }

  relieved(): Promise<void> {
    return this.#options.drain.relieved()
  }

  /** Sends what is left, the tail included, no faster than the reader takes it. Nothing can be written any more. */
  async end(): Promise<LogTotals> {
    this.#hasEnded = true
    this.#flush()
    if (this.#tail !== null) await this.#sendTail(this.#tail)
    this.#flush()
    this.#sendDrop()
    return { lines: this.#nextSeq - 1, bytes: this.#bytes, dropped: this.#dropped }
  }

  async #sendTail(tail: LogTail): Promise<void> {
    tail.seal()
    if (tail.droppedLines > 0) this.#lose(this.#nextSeq, tail.droppedLines)
    this.#nextSeq += tail.droppedLines
    for (const [at, stream, level, text] of tail.drain()) {
      this.#append(at, stream, level, text)
      if (this.#chunk.length > 0) continue
      // a chunk has just left: let the link work, and wait for it when it is behind
      await nextTurn()
      await this.#options.drain.relieved()
    }
  }

  #cut(at: number): void {
    const limitMib = formatMib(this.#options.limitBytes)
    const tailBytes = this.#options.limitBytes - this.#headLimit
    const text = `The log has reached ${formatMib(this.#headLimit)} of at most ${limitMib}: from here on only the last ${formatMib(tailBytes)} are kept, and shown when the run ends.`
    this.#append(at, LOG_STREAMS.indexOf('system'), LOG_LEVELS.indexOf('warn'), text)
    this.#flush()
    this.#tail = new LogTail(tailBytes)
  }

  #append(at: number, stream: number, level: number, text: string): void {
    const encoded = `[${String(at)},${String(stream)},${String(level)},${JSON.stringify(text)}]`
    const bytes = Buffer.byteLength(encoded) + 1
    if (this.#chunkBytes + bytes > FRAME_LIMITS.logChunkBytes) this.#flush()
    this.#chunk.push(encoded)
    this.#chunkBytes += bytes
    if (this.#chunk.length >= LINES_PER_CHUNK) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), this.#options.flushAfterMs())
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const count = this.#chunk.length
    if (count === 0) return
    const chunk = { firstSeq: this.#nextSeq, count, linesJson: `[${this.#chunk.join(',')}]`, dropped: 0 }
    const bytes = this.#chunkBytes
    this.#nextSeq += count
    this.#chunk = []
    this.#chunkBytes = 0
    if (this.#options.drain.hasRoom(bytes)) this.#send(chunk)
    else this.#lose(chunk.firstSeq, count)
  }

  #send(chunk: LogChunk): void {
    this.#sendDrop()
    if (!this.#options.drain.send(chunk)) this.#lose(chunk.firstSeq, chunk.count)
  }

  /** Notes lost lines; losses that follow each other become one chunk, which leaves before the next that gets through. */
  #lose(firstSeq: number, count: number): void {
    this.#dropped += count
    if (this.#unsentDrop.count === 0) this.#unsentDrop = { firstSeq, count }
    else this.#unsentDrop = { ...this.#unsentDrop, count: this.#unsentDrop.count + count }
  }

  #sendDrop(): void {
    const { firstSeq, count } = this.#unsentDrop
    if (count === 0) return
    this.#unsentDrop = { firstSeq: 0, count: 0 }
    this.#options.drain.send({ firstSeq, count, linesJson: '[]', dropped: count })
  }
}

function formatMib(bytes: number): string {
  return bytes >= 1_048_576 ? `${String(Math.round((bytes / 1_048_576) * 10) / 10)} MiB` : `${String(Math.ceil(bytes / 1024))} KiB`
}
