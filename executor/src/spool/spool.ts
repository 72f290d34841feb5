/**
 * What must outlive the process, in a folder of its own for each process start:
 *
 *   <spoolDir>/<appName>@<name>/<start>-<pid>-<chance>/
 *     owner.json       who this process is, so that a later one can tell whether it still lives
 *     log-000001.seg   log chunks, as the frames they are sent as
 *     end-000001.seg   logEnd and finished frames, before they are sent
 *     groups/<pid>     the process group of a child, before the child runs; removed when the group has ended
 *     scratch/         scripts and result files of runs
 *
 * Two processes never write into one folder, so nothing is locked. A start reads the folders whose owner is gone.
 * Bound: `maxBytes`. Log chunks are taken up to 7/8 of it, results always; the executor stops accepting before there is no room for the
 * results of what runs.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FRAME_LIMITS } from '@tickwheel/contract'
import type { ExecutorLogger } from '../logger.ts'
import { messageOf } from '../logger.ts'
import { identityOf } from './process-identity.ts'
import { SegmentStream, type Segment, type SpoolEntry } from './segments.ts'

const LOG_SHARE = 0.875
/** result, error and what the frame adds */
const RESULT_ROOM_BYTES = FRAME_LIMITS.resultBytes + 32_768

export interface SpoolOptions {
  /** the folder of this executor, see `spoolHome` */
  readonly home: string
  readonly maxBytes: number
  readonly fsync: boolean
  readonly logger: ExecutorLogger
}

/** The process group of a child, as it is written before the child runs. */
export interface GroupRecord {
  readonly group: number
  /** of its leader, see `identityOf` */
  readonly identity: string | null
  /** stands in the environment of every process of the group */
  readonly marker: string
}

export class Spool {
  readonly directory: string
  readonly scratch: string
  readonly #options: SpoolOptions
  readonly #logs: SegmentStream
  readonly #ends: SegmentStream
  #adopted: readonly Segment[] = []
  #isFailing = false

  /** Throws when the folder cannot be made. */
  constructor(options: SpoolOptions) {
    this.#options = options
    this.directory = join(options.home, `${String(Date.now())}-${String(process.pid)}-${randomBytes(4).toString('hex')}`)
    this.scratch = join(this.directory, 'scratch')
    for (const folder of [this.directory, this.scratch, this.#groups]) mkdirSync(folder, { recursive: true, mode: 0o700 })
    // scripts stand below whatever package.json the parent folders hold; Node.js shall decide by their syntax alone
    writeFileSync(join(this.scratch, 'package.json'), '{}')
    writeFileSync(join(this.directory, OWNER_FILE), JSON.stringify({ pid: process.pid, identity: identityOf(process.pid) }))
    this.#logs = new SegmentStream(this.directory, 'log', options.fsync)
    this.#ends = new SegmentStream(this.directory, 'end', options.fsync)
  }

  /** Is there room for a log chunk of this size? */
  hasRoomForLog(bytes: number): boolean {
    return !this.#isFailing && this.#bytes + bytes <= this.#options.maxBytes * LOG_SHARE
  }

  /** Is there room for the results of this many attempts? */
  hasRoomForResults(attempts: number): boolean {
    return !this.#isFailing && this.#ends.bytes + attempts * RESULT_ROOM_BYTES <= this.#options.maxBytes
  }

  /** Null: it could not be written, and the caller keeps it in memory. */
  appendLog(text: string): SpoolEntry | null {
    return this.#append(this.#logs, [text])[0] ?? null
  }

  /** One entry for each text, with one write. Empty: it could not be written, and the caller keeps them in memory. */
  appendEnds(texts: readonly string[]): readonly SpoolEntry[] {
    return this.#append(this.#ends, texts)
  }

  /** Segments that an earlier process left count towards the bound, too. */
  adopt(segments: readonly Segment[]): void {
    this.#adopted = [...this.#adopted, ...segments]
  }

  noteGroup(record: GroupRecord): void {
    writeFileSync(join(this.#groups, String(record.group)), JSON.stringify(record))
  }

  forgetGroup(group: number): void {
    rmSync(join(this.#groups, String(group)), { force: true })
  }

  /** Removes the folder when `isEmpty`, else leaves it to a later process. */
  close(isEmpty: boolean): void {
    this.#logs.close()
    this.#ends.close()
    rmSync(isEmpty ? this.directory : this.scratch, { recursive: true, force: true })
  }

  get #bytes(): number {
    return this.#logs.bytes + this.#ends.bytes + this.#adopted.reduce((sum, segment) => sum + segment.size, 0)
  }

  get #groups(): string {
    return join(this.directory, GROUPS_FOLDER)
  }

  #append(stream: SegmentStream, texts: readonly string[]): readonly SpoolEntry[] {
    try {
      const entries = stream.append(texts)
      this.#isFailing = false
      return entries
    } catch (thrown) {
      if (!this.#isFailing)
        this.#options.logger.error(
          { directory: this.directory, error: messageOf(thrown) },
          'the spool cannot be written: nothing new is accepted',
        )
      this.#isFailing = true
      return []
    }
  }
}

export const OWNER_FILE = 'owner.json'
export const GROUPS_FOLDER = 'groups'

/** Segment files of a folder in the order in which their records are to be sent: every line before any end. */
export function segmentFiles(folder: string): readonly string[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.seg'))
    .sort()
  return ['log-', 'end-'].flatMap((prefix) => files.filter((file) => file.startsWith(prefix)).map((file) => join(folder, file)))
}

/** Where the folders of one executor's processes stand. Executors may share a spool folder: their names keep them apart. */
export function spoolHome(spoolDir: string, appName: string, name: string): string {
  return join(spoolDir, `${encodeURIComponent(appName)}@${encodeURIComponent(name)}`)
}

/** The folders of processes that are gone, oldest first. */
export function orphanedSpools(home: string): readonly string[] {
  return readdirSync(home)
    .sort()
    .map((folder) => join(home, folder))
    .filter((folder) => !ownerLives(folder))
}

function ownerLives(folder: string): boolean {
  const owner = readJson(join(folder, OWNER_FILE))
  if (!isOwner(owner)) return false
  return identityOf(owner.pid) === owner.identity
}

function isOwner(value: unknown): value is { pid: number; identity: string | null } {
  return typeof value === 'object' && value !== null && 'pid' in value && typeof value.pid === 'number' && 'identity' in value
}

/** The value in a JSON file, or null when there is none. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}
