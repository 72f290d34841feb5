import { CAUSE, OUTCOMES } from '@tickwheel/core'
import type { ReadTx } from '../../../server/src/store/database.ts'
import type { BackfillPlanRow, BackfillRow, BackfillRunRow, InstanceRow } from '../../../server/src/store/schema.ts'

/** `stage` of a backfill that has come to its end by itself, and of one that somebody ended. */
const [DONE, CANCELED] = [3, 4]

/**
 * Backfills, at the end: each has come to its end, has one run for each instant of its plan (one that was canceled: for the first of them), in its order,
 * and counts what became of them. Counted here from the runs, and not from what their ends have left. That no more are open at once than may be, triggers see.
 */
export async function backfillFaults(tx: ReadTx): Promise<string[]> {
  const backfills = await tx.all<BackfillRow>('SELECT * FROM backfill ORDER BY id')
  const parts = await tx.all<BackfillPlanRow>('SELECT * FROM backfill_plan ORDER BY backfill_id, part')
  const links = await tx.all<BackfillRunRow>('SELECT * FROM backfill_run ORDER BY instance_id')
  const runs = await tx.all<InstanceRow>('SELECT * FROM instance WHERE cause = ? ORDER BY id', [CAUSE.backfill])
  const known = new Set(backfills.map((row) => row.id))
  return [
    ...backfills.flatMap((row) => {
      const plan = parts.filter((part) => part.backfill_id === row.id).flatMap((part) => JSON.parse(part.due) as number[])
      const mine = runs.filter((run) => run.series_id === row.id)
      const linked = links.filter((link) => link.backfill_id === row.id)
      return [...endFaults(row), ...planFaults(row, plan, mine), ...linkFaults(row, linked, mine), ...countFaults(row, mine)]
    }),
    ...runs.filter((run) => run.series_id === null || !known.has(run.series_id)).map((run) => `run ${run.id} is of no backfill`),
  ].map((fault) => `backfills: ${fault}`)
}

function endFaults({ id, stage, open_runs: open, made, total }: BackfillRow): string[] {
  return [
    ...(stage === DONE || stage === CANCELED
      ? []
      : [`backfill ${id} is at stage ${stage}, with ${made} of ${total} made and ${open} open`]),
    ...(open === 0 ? [] : [`backfill ${id} counts ${open} open runs with nothing open`]),
    ...(stage === DONE && made !== total ? [`backfill ${id} is done with ${made} of ${total}`] : []),
  ]
}

function planFaults({ id, made, total }: BackfillRow, plan: readonly number[], mine: readonly InstanceRow[]): string[] {
  const due = mine.map((run) => run.due_at)
  return [
    ...(plan.length === total && new Set(plan).size === total ? [] : [`backfill ${id} has a plan of ${plan.length}, and says ${total}`]),
    ...(due.length === made && due.every((at, place) => at === plan[place])
      ? []
      : [`backfill ${id} has made runs for ${due.join(', ')}, and was to for ${plan.slice(0, made).join(', ')}`]),
  ]
}

function linkFaults({ id }: BackfillRow, linked: readonly BackfillRunRow[], mine: readonly InstanceRow[]): string[] {
  const same =
    linked.length === mine.length &&
    linked.every((link, place) => link.instance_id === mine[place]?.id && link.due_at === mine[place].due_at)
  return same ? [] : [`backfill ${id} knows ${linked.length} runs, and has ${mine.length}`]
}

function countFaults({ id, ended }: BackfillRow, mine: readonly InstanceRow[]): string[] {
  const counts: Record<string, number> = {}
  for (const run of mine) {
    const outcome = OUTCOMES[run.outcome - 1] ?? ''
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  const told = JSON.parse(ended) as Record<string, number>
  const names = [...new Set([...Object.keys(counts), ...Object.keys(told)])]
  return names.every((name) => counts[name] === told[name]) ? [] : [`backfill ${id} counts ${ended}, and has ${JSON.stringify(counts)}`]
}
