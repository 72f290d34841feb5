import type { ReadTx } from '../../../server/src/store/database.ts'
import type { OpenInstanceRow } from '../../../server/src/store/schema.ts'
import type { Engine } from '../../../server/src/engine/engine.ts'

/** With every task stopped, so many timers at most: what waits for a sweep to forget it. */
const TIMERS = 64
const SHOWN = 2

/** Invariant 5, at the end: nothing is stuck or left over, in the store or in a process. */
export async function leftoverFaults(tx: ReadTx, engines: readonly Engine[]): Promise<string[]> {
  const open = await tx.all<OpenInstanceRow>('SELECT * FROM open_instance')
  const signals = await tx.all<{ id: number }>('SELECT id FROM `signal`')
  return [
    ...(open.length === 0 ? [] : [`${open.length} runs are stuck`]),
    ...open.slice(0, SHOWN).map((row) => `run ${row.id} is stuck: ${JSON.stringify({ ...row, trace: undefined })} ${row.trace}`),
    ...signals.map(({ id }) => `signal ${id} was never applied`),
    ...engines.flatMap(memoryFaults),
  ].map((fault) => `bounds: ${fault}`)
}

function memoryFaults(engine: Engine): string[] {
  const { runId, openRuns, queuedRuns, armedTimers, counts } = engine.status()
  const kept: Record<string, number> = { openRuns, queuedRuns, reportBacklog: counts['reportBacklog'] ?? 0 }
  return [
    ...Object.entries(kept).flatMap(([name, n]) => (n === 0 ? [] : [`node ${runId} keeps ${n} (${name}) with nothing open`])),
    ...(armedTimers > TIMERS ? [`node ${runId} keeps ${armedTimers} timers with nothing to fire`] : []),
  ]
}

/** Invariant 5, at any time: what is open is what the tasks of the scene allow. */
export async function growthFaults(tx: ReadTx, most: number): Promise<string[]> {
  const [row] = await tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM open_instance')
  return (row?.n ?? 0) > most ? [`bounds: ${row?.n} runs are open`] : []
}
