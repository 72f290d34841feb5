import type { StorageAnswer } from '@tickwheel/contract'
import { METRIC } from './counters.ts'
import type { Database, ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import type { StoreSizes, TableSize } from './dialect/sizes.ts'
import { instantText } from './page.ts'

/*
 * What the store takes, and how it grew. The rows of `meta` that are kept for it: when retention last went through everything, and one size for each of the last
 * sixty days on which it did.
 */

const PRUNED = 'pruned'
const SIZES = 'sizes'
const DAYS_KEPT = 60
const DAY_MS = 86_400_000

/** `[epoch ms, bytes, ended runs]` of one day */
type Sample = readonly [at: number, bytes: number, runs: number]

export type StorageFacts = Pick<StorageAnswer, 'tables' | 'totalBytes' | 'freeBytes' | 'prunedAt' | 'growth' | 'history'>

export async function storage(db: Database, now: number): Promise<StorageFacts> {
  return db.read(async (tx) => {
    const { tables, totalBytes, freeBytes } = await db.dialect.sizes(tx)
    const pruned = Number(await readMeta(tx, PRUNED))
    return {
      tables: tables.toSorted((one, other) => bytesOf(other) - bytesOf(one)).map((table) => ({ ...table, kind: kindOf(table.table) })),
      totalBytes,
      freeBytes,
      prunedAt: Number.isFinite(pruned) && pruned > 0 ? instantText(pruned) : null,
      growth: { day: await growthSince(tx, now - DAY_MS), week: await growthSince(tx, now - 7 * DAY_MS) },
      history: samplesOf(await readMeta(tx, SIZES)).map(([at, bytes, runs]) => ({ at: instantText(at), bytes, runs })),
    }
  })
}

/** Retention went through everything. The first time on a day the size is kept too. */
export async function notePruned(db: Database, now: number): Promise<void> {
  const { samples, sizes } = await db.read(async (tx) => {
    const known = samplesOf(await readMeta(tx, SIZES))
    const isToday = known.some(([at]) => Math.floor(at / DAY_MS) === Math.floor(now / DAY_MS))
    return { samples: known, sizes: isToday ? null : await db.dialect.sizes(tx) }
  })
  const more = sizes === null ? [] : [sampleOf(sizes, now)]
  await db.write('rest', async (tx) => {
    await tx.insertNew(
      'meta',
      [PRUNED, SIZES].map((key) => ({ key, value: '' })),
    )
    await tx.run('UPDATE meta SET value = ? WHERE `key` = ?', [String(now), PRUNED])
    if (more.length > 0)
      await tx.run('UPDATE meta SET value = ? WHERE `key` = ?', [JSON.stringify([...samples, ...more].slice(-DAYS_KEPT)), SIZES])
  })
}

function sampleOf({ tables, totalBytes, freeBytes }: StoreSizes, now: number): Sample {
  return [now, totalBytes - freeBytes, tables.find(({ table }) => table === 'instance')?.rows ?? 0]
}

async function readMeta(tx: ReadTx, key: string): Promise<string> {
  const [row] = await tx.all<{ value: string }>('SELECT value FROM meta WHERE `key` = ?', [key])
  return row?.value ?? ''
}

function samplesOf(text: string): Sample[] {
  const list = parseJson(text)
  if (!Array.isArray(list)) return []
  return list.flatMap((one: unknown) => {
    const [at, bytes, runs] = Array.isArray(one) ? one.map(Number) : []
    return at !== undefined && bytes !== undefined && runs !== undefined && [at, bytes, runs].every(Number.isFinite)
      ? [[at, bytes, runs] as const]
      : []
  })
}

/** From the counters, which are kept for each hour: nothing of history is read. */
async function growthSince(tx: ReadTx, since: number): Promise<{ runs: number; firings: number }> {
  const rows = await tx.all<{ metric: number; n: number | string | null }>(
    'SELECT metric, SUM(n) AS n FROM counter WHERE hour_at >= ? GROUP BY metric',
    [since],
  )
  const total = (is: (metric: number) => boolean): number =>
    rows.filter(({ metric }) => is(metric)).reduce((sum, { n }) => sum + Number(n ?? 0), 0)
  return {
    runs: total((metric) => metric < METRIC.fired),
    firings: total((metric) => metric === METRIC.fired || metric === METRIC.skipped),
  }
}

function bytesOf({ bytes, indexBytes }: TableSize): number {
  return bytes + indexBytes
}

const KINDS: Readonly<Record<Exclude<StorageAnswer['tables'][number]['kind'], 'other'>, readonly string[]>> = {
  runs: [
    'instance',
    'open_instance',
    'attempt',
    'payload',
    'retry_link',
    'map_frame',
    'signal',
    'workflow_run',
    'step_run',
    'wire',
    'request_key',
    'bulk',
    'bulk_item',
  ],
  logs: ['log_chunk', 'log_end'],
  ledger: [
    'firing',
    'skip',
    'firing_hour',
    'reckoner',
    'reckoned',
    'verdict',
    'finding',
    'recovery',
    'recovery_group',
    'recovery_task',
    'backfill',
    'backfill_plan',
    'backfill_run',
  ],
  definitions: [
    'task_group',
    'task',
    'task_version',
    'schedule_span',
    'series',
    'variable',
    'secret',
    'secret_past',
    'variable_use',
    'calendar',
    'calendar_version',
    'calendar_use',
  ],
  audit: ['audit'],
  alarms: ['alarm_rule', 'alarm_state', 'alarm_track', 'alarm_signal', 'incident', 'incident_run', 'alarm_channel', 'delivery'],
}

function kindOf(table: string): StorageAnswer['tables'][number]['kind'] {
  for (const [kind, tables] of Object.entries(KINDS)) if (tables.includes(table)) return kind as keyof typeof KINDS
  return 'other'
}
