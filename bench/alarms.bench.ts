/**
 * Alarms: what rules cost the end of a run. Batches of 500 runs end in one transaction each, as reports end them, on SQLite in a file (WAL, synchronous
 * FULL): without a rule, with 100 rules that watch for other ends, with one that sees each failure, and with one that learns how long successes take.
 * Each kind in turn, `BENCH_ROUNDS` times (default 5) over 20 batches; the median of a thousand ends is printed.
 */
import { OUTCOME, RuleIndex, type Condition, type WatchRule } from '@tickwheel/core'
import { endRuns } from '../server/src/store/run-writes.ts'
import type { Database } from '../server/src/store/database.ts'
import { fileStore, openRow, T0 } from '../server/src/store/store.fixture.ts'
import { formatTable, machine, median } from './report.ts'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const BATCHES = 20
const BATCH = 500

const rule = (id: number, ...conditions: Condition[]): WatchRule => ({ id, groupId: null, taskIds: [], conditions })
const failures = (id: number): WatchRule => rule(id, { event: 'failed' }, { event: 'timedOut' }, { event: 'lost' })

const KINDS = [
  { name: 'no rule, successes', rules: [], outcome: OUTCOME.succeeded },
  { name: '100 rules for failures, successes', rules: Array.from({ length: 100 }, (_, n) => failures(n + 1)), outcome: OUTCOME.succeeded },
  { name: 'no rule, failures', rules: [], outcome: OUTCOME.failed },
  { name: 'one rule for failures, failures', rules: [failures(1)], outcome: OUTCOME.failed },
  { name: 'one rule for slow runs, successes', rules: [rule(1, { event: 'slow', percent: 200 })], outcome: OUTCOME.succeeded },
] as const

let nextId = 1

async function main(): Promise<void> {
  console.log(machine())
  const { db, remove } = await fileStore()
  const figures = new Map(KINDS.map((kind): [string, number[]] => [kind.name, []]))
  try {
    for (let round = -1; round < ROUNDS; round += 1)
      for (const kind of KINDS) {
        const ms = await measure(db, kind)
        // the first round warms up
        if (round >= 0) figures.get(kind.name)?.push(ms)
      }
  } finally {
    await db.close()
    await remove()
  }
  const plain = median(figures.get(KINDS[0].name) ?? [])
  console.log(
    formatTable(
      ['what', 'ms for 1,000 ends', 'of the first'],
      [...figures].map(([name, all]) => [name, median(all).toFixed(1), (median(all) / plain).toFixed(2)]),
    ),
  )
}

/** How long a thousand ends take, ms. */
async function measure(db: Database, { rules, outcome }: (typeof KINDS)[number]): Promise<number> {
  await db.read(async (tx) => {
    tx.watch.rules = new RuleIndex(rules)
  })
  let ms = 0
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const rows = Array.from({ length: BATCH }, () => openRow(nextId++, { phase: 4, started_at: T0, task_id: (nextId % 50) + 1 }))
    await db.write('rest', (tx) => tx.insert('open_instance', rows))
    const ends = rows.map((row) => ({ row, outcome, endedAt: T0 + 1000, result: null, error: null, trace: [] }))
    const from = performance.now()
    await db.write('report', (tx) => endRuns(tx, T0, nextId, ends))
    ms += performance.now() - from
  }
  await db.write('rest', (tx) => tx.run('DELETE FROM alarm_signal'))
  return ms / ((BATCHES * BATCH) / 1000)
}

await main()
