import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LOG_LEVELS, LOG_STREAMS, type LineTuple, type LogLine, type LogPage } from '@tickwheel/contract'
import { instantOfId } from './ids.ts'
import { LogFile, type ChunkRow } from './log-file.ts'

/** Lines of one attempt as they arrived. Borders are fixed: the same key (instance, attempt, firstSeq) is the same chunk. */
export interface LogChunk {
  readonly instanceId: number
  readonly attempt: number
  /** number of the first line in the attempt, from 1 */
  readonly firstSeq: number
  readonly lines: readonly LineTuple[]
  /** so many line numbers after `lines` were lost at a bound */
  readonly dropped?: number
}

export interface LogEnd {
  readonly lines: number
  readonly bytes: number
  readonly dropped: number
}

export interface ReadOptions {
  /** a line's `seq`, or the `next` of the page before; 0: from the beginning */
  readonly after: number
  readonly limit: number
  /** the run has ended */
  readonly ended: boolean
}

/** `seq` of a line = attempt × 2^32 + its number in the attempt. */
export const ATTEMPT_SEQ = 2 ** 32
const MAX_OPEN_FILES = 4
const PAGE_BYTES = 2_097_152
const CHUNKS_READ = 32
const FILE_NAME = /^logs-(\d{4})-(\d{2})\.db$/
const MEMORY = ':memory:'

/**
 * Logs of runs, in files of their own, one a month by instance id (`logs-2026-11.db` in the data folder), through connections of their own: the volume
 * of logs never delays a firing, and retention deletes a file. At most 4 files are open. `directory` `:memory:` keeps everything in memory, for tests.
 *
 * Lines of an attempt are read in order without a gap: where a number is missing, a page stops until it arrives; when the run has ended, or a later
 * attempt has begun, what is missing is named by one `system` line and passed over.
 */
export class LogStore {
  readonly #directory: string
  readonly #open = new Map<string, LogFile>()

  constructor({ directory }: { readonly directory: string }) {
    this.#directory = directory
    if (directory !== MEMORY) mkdirSync(directory, { recursive: true })
  }

  /** Writes chunks, one transaction a file; for each, in order, whether it was new. Throws `StoreAway`. */
  async append(chunks: readonly LogChunk[]): Promise<boolean[]> {
    const isNew = chunks.map(() => false)
    const byMonth = Map.groupBy(chunks.keys(), (index) => monthOf(chunks[index]?.instanceId ?? 0))
    for (const [month, indexes] of byMonth) {
      const added = this.#file(month).append(indexes.flatMap((index) => chunks[index] ?? []))
      for (const [position, index] of indexes.entries()) isNew[index] = added[position] ?? false
    }
    return isNew
  }

  /** How many line numbers an attempt has in all. A repeat changes nothing. */
  async end(instanceId: number, attempt: number, end: LogEnd): Promise<void> {
    this.#file(monthOf(instanceId)).end(instanceId, attempt, end)
  }

  /** A page of lines after `after`, at most `limit` and about 2 MiB. `end`: the run has ended and nothing follows. */
  async read(instanceId: number, options: ReadOptions): Promise<LogPage> {
    const file = this.#existing(monthOf(instanceId))
    if (file === null) return { lines: [], next: options.after, end: options.ended }
    return new PageReader(file, instanceId, options).read()
  }

  /** The whole log as text for a download, a piece a chunk: instant, stream, text. The attempts are told apart when there are several. */
  async *stream(instanceId: number): AsyncGenerator<string> {
    let after = 0
    let attempt = 0
    for (;;) {
      const page = await this.read(instanceId, { after, limit: 1000, ended: true })
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

  /** Forgets logs of runs with ids below `beforeId`: whole files at once, else 200 chunks. True: there is more to do. */
  async prune(beforeId: number): Promise<boolean> {
    const limit = monthOf(beforeId)
    for (const month of this.#months()) {
      if (month < limit) this.#remove(month)
      else if (month === limit) return this.#file(month).prune(beforeId)
    }
    return this.#directory === MEMORY ? this.#file(limit).prune(beforeId) : false
  }

  close(): void {
    for (const file of this.#open.values()) file.close()
    this.#open.clear()
  }

  #file(month: string): LogFile {
    const key = this.#directory === MEMORY ? MEMORY : month
    const known = this.#open.get(key)
    if (known !== undefined) {
      this.#open.delete(key)
      this.#open.set(key, known)
      return known
    }
    for (const [oldest, file] of this.#open) {
      if (this.#open.size < MAX_OPEN_FILES) break
      file.close()
      this.#open.delete(oldest)
    }
    const file = new LogFile(key === MEMORY ? MEMORY : this.#path(month))
    this.#open.set(key, file)
    return file
  }

  /** Reading the log of a run whose month has no file makes none. */
  #existing(month: string): LogFile | null {
    if (this.#directory === MEMORY || this.#open.has(month) || this.#months().includes(month)) return this.#file(month)
    return null
  }

  #remove(month: string): void {
    this.#open.get(month)?.close()
    this.#open.delete(month)
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.#path(month) + suffix, { force: true })
  }

  #months(): string[] {
    if (this.#directory === MEMORY) return []
    return readdirSync(this.#directory)
      .flatMap((name) => {
        const found = FILE_NAME.exec(name)
        return found === null ? [] : [`${found[1]}-${found[2]}`]
      })
      .sort()
  }

  #path(month: string): string {
    return join(this.#directory, `logs-${month}.db`)
  }
}

function monthOf(instanceId: number): string {
  return new Date(instantOfId(instanceId)).toISOString().slice(0, 7)
}

/** Reads one page; a reader is used once. */
class PageReader {
  readonly #file: LogFile
  readonly #instanceId: number
  readonly #options: ReadOptions
  readonly #lines: LogLine[] = []
  /** the last line number that is read, and its attempt */
  #attempt: number
  #seq: number
  #bytes = 0

  constructor(file: LogFile, instanceId: number, options: ReadOptions) {
    this.#file = file
    this.#instanceId = instanceId
    this.#options = options
    this.#attempt = Math.floor(options.after / ATTEMPT_SEQ)
    this.#seq = options.after % ATTEMPT_SEQ
  }

  read(): LogPage {
    const newest = this.#file.newestAttempt(this.#instanceId)
    const isExhausted = this.#readChunks(newest)
    const next = this.#attempt * ATTEMPT_SEQ + this.#seq
    return { lines: this.#lines, next, end: isExhausted && this.#options.ended && this.#isComplete(newest) }
  }

  /** True: everything that is stored has been read. */
  #readChunks(newest: number): boolean {
    let cursor = { attempt: this.#attempt, firstSeq: this.#file.chunkBegin(this.#instanceId, this.#attempt, this.#seq + 1) }
    for (;;) {
      const rows = this.#file.chunks(this.#instanceId, cursor.attempt, cursor.firstSeq, CHUNKS_READ)
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
    const lines = this.#file.linesOf(row)
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
  #isComplete(newest: number): boolean {
    const end = this.#file.endOf(this.#instanceId, newest)
    return end === null || newest !== this.#attempt ? end === null || end.lines === 0 : this.#seq >= end.lines
  }
}
