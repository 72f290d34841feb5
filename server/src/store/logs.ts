import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { LineTuple, LogPage } from '@tickwheel/contract'
import { instantOfId } from './ids.ts'
import { LogFile } from './log-file.ts'
import { PageReader, textOf } from './log-page.ts'

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

/** The end of the log of one attempt. */
export interface AttemptLogEnd extends LogEnd {
  readonly instanceId: number
  readonly attempt: number
}

export interface ReadOptions {
  /** a line's `seq`, or the `next` of the page before; 0: from the beginning */
  readonly after: number
  readonly limit: number
  /** the run has ended */
  readonly ended: boolean
}

const MAX_OPEN_FILES = 4
const FILE_NAME = /^logs-(\d{4})-(\d{2})\.db$/
const MEMORY = ':memory:'

/**
 * Logs of runs. Lines of an attempt are read in order without a gap: where a number is missing, a page stops until it arrives; when the run has ended,
 * or a later attempt has begun, what is missing is named by one `system` line and passed over.
 */
export interface LogStore {
  /**
   * Writes chunks, and how many line numbers attempts have in all, in one commit; for each chunk, in order, whether it was new. A repeat changes
   * nothing. Throws `StoreAway`.
   */
  append(chunks: readonly LogChunk[], ends?: readonly AttemptLogEnd[]): Promise<boolean[]>
  /** A page of lines after `after`, at most `limit` and about 2 MiB. `end`: the run has ended and nothing follows. */
  read(instanceId: number, options: ReadOptions): Promise<LogPage>
  /** The whole log as text for a download, a piece a chunk: instant, stream, text. The attempts are told apart when there are several. */
  stream(instanceId: number): AsyncGenerator<string>
  /** Forgets logs of runs with ids below `beforeId`, a bounded part. True: there is more to do. */
  prune(beforeId: number): Promise<boolean>
  /** What it takes in files of its own; null: it is in the database. */
  size(): Promise<{ readonly files: number; readonly bytes: number } | null>
  close(): void
}

/**
 * Logs of runs, in files of their own, one a month by instance id (`logs-2026-11.db` in the data folder), through connections of their own: the volume
 * of logs never delays a firing, and retention deletes a file. At most 4 files are open. `directory` `:memory:` keeps everything in memory, for tests.
 */
export class FileLogs implements LogStore {
  readonly #directory: string
  readonly #open = new Map<string, LogFile>()

  constructor({ directory }: { readonly directory: string }) {
    this.#directory = directory
    if (directory !== MEMORY) mkdirSync(directory, { recursive: true })
  }

  /** One transaction a file. */
  async append(chunks: readonly LogChunk[], ends: readonly AttemptLogEnd[] = []): Promise<boolean[]> {
    const isNew = chunks.map(() => false)
    const indexes = Map.groupBy(chunks.keys(), (index) => monthOf(chunks[index]?.instanceId ?? 0))
    const endsOf = Map.groupBy(ends, (end) => monthOf(end.instanceId))
    for (const month of new Set([...indexes.keys(), ...endsOf.keys()])) {
      const mine = indexes.get(month) ?? []
      const added = this.#file(month).append(
        mine.flatMap((index) => chunks[index] ?? []),
        endsOf.get(month) ?? [],
      )
      for (const [position, index] of mine.entries()) isNew[index] = added[position] ?? false
    }
    return isNew
  }

  async read(instanceId: number, options: ReadOptions): Promise<LogPage> {
    const file = this.#existing(monthOf(instanceId))
    if (file === null) return { lines: [], next: options.after, end: options.ended }
    return new PageReader(file, instanceId, options).read()
  }

  stream(instanceId: number): AsyncGenerator<string> {
    return textOf(this, instanceId)
  }

  /** Whole files at once, else 200 chunks. */
  async prune(beforeId: number): Promise<boolean> {
    const limit = monthOf(beforeId)
    for (const month of this.#months()) {
      if (month < limit) this.#remove(month)
      else if (month === limit) return this.#file(month).prune(beforeId)
    }
    return this.#directory === MEMORY ? this.#file(limit).prune(beforeId) : false
  }

  async size(): Promise<{ readonly files: number; readonly bytes: number }> {
    const months = this.#months()
    const files = months.flatMap((month) => ['', '-wal'].map((suffix) => this.#path(month) + suffix))
    const sizes = await Promise.all(
      files.map((path) =>
        stat(path).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    )
    return { files: months.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
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
