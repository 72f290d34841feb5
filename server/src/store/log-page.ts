import { LOG_LEVELS, LOG_STREAMS, type LineTuple, type LogLine, type LogPage } from '@tickwheel/contract'
import { linesOf, type ChunkRow } from './log-chunk.ts'
import type { LogEnd, LogStore, ReadOptions } from './logs.ts'

/** `seq` of a line = attempt × 2^32 + its number in the attempt. */
export const ATTEMPT_SEQ = 2 ** 32
const PAGE_BYTES = 2_097_152
const CHUNKS_READ = 32

/** Where chunks are read: a file, or a transaction of the database. */
export interface ChunkSource {
  /** The newest attempt that has written or ended; 0: none. */
  newestAttempt(instanceId: number): number | Promise<number>
  /** `firstSeq` of the chunk that a line is in, or would follow; 0: none. */
  chunkBegin(instanceId: number, attempt: number, seq: number): number | Promise<number>
  /** Chunks from a key on, in order. */
  chunks(instanceId: number, attempt: number, firstSeq: number, limit: number): ChunkRow[] | Promise<ChunkRow[]>
  endOf(instanceId: number, attempt: number): LogEnd | null | Promise<LogEnd | null>
}

/** The whole log of a run as text, a page at a time. */
export async function* textOf(store: Pick<LogStore, 'read'>, instanceId: number): AsyncGenerator<string> {
  let after = 0
  let attempt = 0
  for (;;) {
    const page = await store.read(instanceId, { after, limit: 1000, ended: true })
    if (page.lines.length > 0)
      yield page.lines
        .map((line) => {
          const heading = line.attempt !== attempt && line.attempt > 1 ? `--- attempt ${line.attempt} ---\n` : ''
          attempt = line.attempt
          return `${heading}${line.at} ${line.stream} ${line.text}\n`
        })
        .join('')
    if (page.end || page.next === after) return
    after = page.next
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Reads one page; a reader is used once. */
export class PageReader {
  readonly #source: ChunkSource
  readonly #instanceId: number
  readonly #options: ReadOptions
  readonly #lines: LogLine[] = []
  /** the last line number that is read, and its attempt */
  #attempt: number
  #seq: number
  #bytes = 0

  constructor(source: ChunkSource, instanceId: number, options: ReadOptions) {
    this.#source = source
    this.#instanceId = instanceId
    this.#options = options
    this.#attempt = Math.floor(options.after / ATTEMPT_SEQ)
    this.#seq = options.after % ATTEMPT_SEQ
  }

  async read(): Promise<LogPage> {
    const newest = await this.#source.newestAttempt(this.#instanceId)
    const isExhausted = await this.#readChunks(newest)
    const next = this.#attempt * ATTEMPT_SEQ + this.#seq
    return { lines: this.#lines, next, end: isExhausted && this.#options.ended && (await this.#isComplete(newest)) }
  }

  /** True: everything that is stored has been read. */
  async #readChunks(newest: number): Promise<boolean> {
    let cursor = { attempt: this.#attempt, firstSeq: await this.#source.chunkBegin(this.#instanceId, this.#attempt, this.#seq + 1) }
    for (;;) {
      const rows = await this.#source.chunks(this.#instanceId, cursor.attempt, cursor.firstSeq, CHUNKS_READ)
      for (const row of rows) if (!this.#readChunk(row, newest)) return false
      const last = rows.at(-1)
      if (last === undefined || rows.length < CHUNKS_READ) return true
      cursor = { attempt: last.attempt, firstSeq: last.first_seq + 1 }
    }
  }

  /** False: the page is full, or a line has not arrived yet. */
  #readChunk(row: ChunkRow, newest: number): boolean {
    if (row.attempt !== this.#attempt) {
      this.#attempt = row.attempt
      this.#seq = 0
    }
    const missing = row.first_seq - this.#seq - 1
    if (missing > 0) {
      if (!this.#options.ended && row.attempt === newest) return false
      if (!this.#push(row.first_seq - 1, row.at, `… ${missing} lines did not arrive …`)) return false
    }
    const lines = linesOf(row)
    for (const [index, line] of lines.entries()) {
      const seq = row.first_seq + index
      if (seq > this.#seq && !this.#pushLine(seq, line)) return false
    }
    const lastSeq = row.first_seq + lines.length + row.dropped - 1
    if (row.dropped === 0 || lastSeq <= this.#seq) return true
    return this.#push(lastSeq, row.at, `… ${row.dropped} lines were dropped here: the log had reached its limit …`)
  }

  #push(seq: number, at: number, text: string): boolean {
    return this.#pushLine(seq, [at, LOG_STREAMS.indexOf('system'), LOG_LEVELS.indexOf('warn'), text])
  }

  #pushLine(seq: number, [at, stream, level, text]: LineTuple): boolean {
    const size = text.length + 100
    if (this.#lines.length >= this.#options.limit || (this.#lines.length > 0 && this.#bytes + size > PAGE_BYTES)) return false
    this.#bytes += size
    this.#seq = seq
    this.#lines.push({
      seq: this.#attempt * ATTEMPT_SEQ + seq,
      at: new Date(at).toISOString(),
      attempt: this.#attempt,
      stream: LOG_STREAMS[stream] ?? 'log',
      level: LOG_LEVELS[level] ?? 'info',
      text,
    })
    return true
  }

  /** Lines that the executor has announced may still be on their way. Without an announcement (it was lost) nothing is waited for. */
  async #isComplete(newest: number): Promise<boolean> {
    const end = await this.#source.endOf(this.#instanceId, newest)
    return end === null || newest !== this.#attempt ? end === null || end.lines === 0 : this.#seq >= end.lines
  }
}
