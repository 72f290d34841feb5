/**
 * Reckoning: what the proof of the ledger costs an entry, beside what firing it cost. ENTRIES firings of SERIES tasks are planned and written as a tick
 * would, 1,000 a transaction, and then reckoned from the first to the last by the reckoner: schedules recomputed, chains walked, runs looked up, verdicts
 * kept. SQLite in a file (WAL, synchronous FULL), one process; CPU of the process, both parts after a warm-up.
 *
 * BENCH_ENTRIES (default 200,000), BENCH_SERIES (default 1,000).
 */
import { join } from 'node:path'
import { planFiring } from '../server/src/engine/plan-firing.ts'
import { Reckoner } from '../server/src/engine/reckoner.ts'
import type { Database } from '../server/src/store/database.ts'
import { completeDefinition } from '../server/src/store/definition.ts'
import { openSqlite } from '../server/src/store/dialect/sqlite.ts'
import { fire } from '../server/src/store/fire.ts'
import { RunIds } from '../server/src/store/ids.ts'
import { migrate } from '../server/src/store/migrate.ts'
import type { SeriesCursor } from '../server/src/store/series.ts'
import { seriesSchedule, spansSince } from '../server/src/store/spans.ts'
import { makeDir, removeDir } from '../tests/kit/temp-dir.ts'
import { formatTable, machine } from './report.ts'

const ENTRIES = Number(process.env.BENCH_ENTRIES ?? 200_000)
const SERIES = Number(process.env.BENCH_SERIES ?? 1_000)
const AT_ONCE = 1_000
const T0 = Date.UTC(2026, 10, 22, 8)
const SECOND = 1_000

interface Figure {
  readonly cpuMs: number
  readonly ms: number
}

const schedule = { kind: 'cron', expression: '* * * * * *', timezone: 'Asia/Shanghai' } as const
const definition = completeDefinition(
  { groupId: 1, name: 'bench', schedule, handler: { kind: 'shell', script: 'true' }, overlap: { policy: 'parallel' }, enabled: true },
  'UTC',
)

async function main(): Promise<void> {
  console.log(machine())
  const folder = makeDir()
  const db = openSqlite({ path: join(folder, 'tickwheel.db'), now: () => T0 })
  try {
    await migrate(db)
    await makeSeries(db)
    const rounds = Math.max(2, Math.ceil(ENTRIES / SERIES))
    const warm = Math.max(1, Math.ceil(rounds / 10))
    const firer = new Firer(db)
    await firer.fire(warm)
    await reckon(db, T0 + warm * SECOND)
    const fired = await timed(() => firer.fire(rounds))
    const reckoned = await timed(() => reckon(db, T0 + (warm + rounds) * SECOND))
    print(fired, reckoned, rounds * SERIES)
  } finally {
    await db.close()
    removeDir(folder)
  }
}

async function makeSeries(db: Database): Promise<void> {
  const ids = Array.from({ length: SERIES }, (_none, index) => index + 1)
  await db.write('rest', async (tx) => {
    await tx.insert(
      'series',
      ids.map((id) => ({
        id,
        kind: 1,
        owner_id: id,
        group_id: 1,
        slot: id % 256,
        next_due_at: T0,
        last_due_at: T0 - 1,
        task_version: 1,
        revision: 1,
        awaits_id: null,
        held: null,
      })),
    )
    await tx.insert(
      'schedule_span',
      ids.map((id) => ({
        series_id: id,
        from_at: T0,
        to_at: null,
        task_version: 1,
        enabled: 1,
        schedule: JSON.stringify(schedule),
        anchor_at: T0,
        calendar_id: null,
        calendar_version: null,
        calendar_zone: null,
      })),
    )
  })
}

/** Fires second after second of all series, as the tick of one node that has all slots. */
class Firer {
  readonly #db: Database
  readonly #fences = new Map(Array.from({ length: 256 }, (_none, slot) => [slot, 0]))
  #cursors: SeriesCursor[] = []
  #lastId = 0
  #second = 0

  constructor(db: Database) {
    this.#db = db
  }

  async fire(seconds: number): Promise<void> {
    if (this.#cursors.length === 0) this.#cursors = await this.#read()
    for (let round = 0; round < seconds; round += 1) {
      const now = T0 + this.#second * SECOND
      this.#second += 1
      for (let from = 0; from < this.#cursors.length; from += AT_ONCE) await this.#batch(from, now)
    }
  }

  async #batch(from: number, now: number): Promise<void> {
    const plans = this.#cursors.slice(from, from + AT_ONCE).map((cursor) =>
      planFiring({
        cursor,
        schedule: seriesSchedule(cursor.spans),
        now,
        definitionOf: () => definition,
        load: { open: 0, waiting: 0, blocker: null },
        maxFires: 100,
        restoredUntil: 0,
        takeId: () => (this.#lastId += 1),
        takeSeat: () => null,
        isFull: () => false,
      }),
    )
    await fire(
      this.#db,
      now,
      this.#fences,
      plans.map(({ item }) => item),
    )
    plans.forEach(({ after }, index) => {
      if (after !== null) this.#cursors[from + index] = after
    })
  }

  async #read(): Promise<SeriesCursor[]> {
    const cursors: SeriesCursor[] = []
    for (let id = 1; id <= SERIES; id += 1) {
      const spans = await this.#db.read((tx) => spansSince(tx, id, 0))
      const common = { seriesId: id, taskId: id, groupId: 1, slot: id % 256, taskVersion: 1, revision: 1, lastSkip: null }
      cursors.push({ ...common, nextDueAt: T0, lastDueAt: T0 - 1, spans })
    }
    return cursors
  }
}

async function reckon(db: Database, until: number): Promise<void> {
  const now = until + 30_000
  let faults = 0
  const reckoner = new Reckoner({
    db,
    clock: { monotonic: () => 0 },
    ids: new RunIds(db, () => now),
    onIncomplete: (found) => (faults += found.length),
  })
  while (await reckoner.step(now)) {
    // until everything is reckoned
  }
  if (faults > 0) throw new Error(`${faults} findings in a ledger that is sound`)
}

async function timed(work: () => Promise<void>): Promise<Figure> {
  const [cpu, at] = [process.cpuUsage(), performance.now()]
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { cpuMs: (user + system) / 1000, ms: performance.now() - at }
}

function print(fired: Figure, reckoned: Figure, entries: number): void {
  const row = (name: string, { cpuMs, ms }: Figure): string[] => [
    name,
    ((cpuMs * 1000) / entries).toFixed(1),
    ((cpuMs / 1000) * (1_000_000 / entries)).toFixed(1),
    Math.round((entries / ms) * 1000).toLocaleString('en-US'),
  ]
  console.log(`\n${entries.toLocaleString('en-US')} entries of ${SERIES.toLocaleString('en-US')} series`)
  console.log(
    formatTable(['', 'µs CPU an entry', 's CPU a million', 'entries/s'], [row('planned and written', fired), row('reckoned', reckoned)]),
  )
  console.log(`\nreckoning costs ${Math.round((reckoned.cpuMs / fired.cpuMs) * 100)} % of what planning and writing cost`)
}

await main()
