/**
 * What a start does about processes of this executor that are gone: ends the process groups that survived them, and puts the lines and
 * results that they did not deliver into the outbox.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { groupLives, signalGroup } from './handlers/process-group.ts'
import { MARKER_VARIABLE } from './handlers/child-process.ts'
import type { Outbox } from './link/outbox.ts'
import type { ExecutorLogger } from './logger.ts'
import { messageOf } from './logger.ts'
import { environmentOf, identityOf, membersOf } from './spool/process-identity.ts'
import { recordsOf, type SpoolEntry } from './spool/segments.ts'
import { GROUPS_FOLDER, orphanedSpools, readJson, segmentFiles, type GroupRecord, type Spool } from './spool/spool.ts'

export interface RecoveryOptions {
  readonly home: string
  readonly spool: Spool
  readonly outbox: Outbox
  readonly logger: ExecutorLogger
}

export interface Recovery {
  /** how many frames earlier processes left */
  readonly frames: number
  /** resolves when the server has judged them all */
  readonly delivered: Promise<void>
}

export function recover(options: RecoveryOptions): Recovery {
  const deliveries = orphanedSpools(options.home).map((folder) => recoverFolder(folder, options))
  return {
    frames: deliveries.reduce((sum, delivery) => sum + delivery.frames, 0),
    delivered: Promise.all(deliveries.map((delivery) => delivery.delivered)).then(() => undefined),
  }
}

function recoverFolder(folder: string, options: RecoveryOptions): Recovery {
  for (const record of groupsIn(folder)) endSurvivor(record, options.logger)
  const entries = segmentFiles(folder).flatMap((file) => entriesOf(file, options))
  const remaining = { count: entries.length }
  const delivered = new Promise<void>((resolve) => {
    const finish = (): void => {
      rmSync(folder, { recursive: true, force: true })
      resolve()
    }
    if (entries.length === 0) finish()
    for (const { entry, lane, isLog } of entries) {
      const judged = (): void => {
        remaining.count -= 1
        if (remaining.count === 0) finish()
      }
      options.outbox.push({ lane, isLog, bytes: entry.length, body: null, entry, judged })
    }
  })
  if (entries.length > 0) options.logger.info({ folder, frames: entries.length }, 'delivering what an earlier process left')
  return { frames: entries.length, delivered }
}

interface OldFrame {
  readonly entry: SpoolEntry
  readonly lane: string
  readonly isLog: boolean
}

/** How the reporter begins every frame that it writes to the spool. */
const FRAME_HEAD = /^\{"type":"(log|logEnd|finished)","instanceId":(\d+),"attempt":(\d+),/

function entriesOf(file: string, options: RecoveryOptions): readonly OldFrame[] {
  try {
    const { segment, records } = recordsOf(file)
    options.spool.adopt([segment])
    const frames = records.flatMap(({ entry, text }) => {
      const head = FRAME_HEAD.exec(text)
      return head === null ? [] : [{ entry, lane: `${head[2] ?? ''}/${head[3] ?? ''}`, isLog: head[1] === 'log' }]
    })
    segment.seal()
    return frames
  } catch (thrown) {
    options.logger.error({ file, error: messageOf(thrown) }, 'a spool segment cannot be read')
    return []
  }
}

function groupsIn(folder: string): readonly GroupRecord[] {
  try {
    return readdirSync(join(folder, GROUPS_FOLDER))
      .map((file) => readJson(join(folder, GROUPS_FOLDER, file)))
      .filter(isGroupRecord)
  } catch {
    // the process was killed before it made the folder
    return []
  }
}

function isGroupRecord(value: unknown): value is GroupRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'group' in value &&
    typeof value.group === 'number' &&
    'identity' in value &&
    'marker' in value &&
    typeof value.marker === 'string'
  )
}

function endSurvivor(record: GroupRecord, logger: ExecutorLogger): void {
  if (!groupLives(record.group) || !isOurs(record)) return
  logger.warn({ group: record.group }, 'ending a process group that outlived its executor')
  signalGroup(record.group, 'SIGKILL')
}

/**
 * A pid is not given away while a group of that number lives. So a leader that lives is ours or none of the group is; without one,
 * the marker in the environment of its members tells.
 */
function isOurs(record: GroupRecord): boolean {
  const leader = identityOf(record.group)
  if (leader !== null && record.identity !== null) return leader === record.identity
  return (
    process.platform === 'linux' &&
    membersOf(record.group).some((pid) => environmentOf(pid).includes(`${MARKER_VARIABLE}=${record.marker}`))
  )
}
