/** The chain of steps that determined when a run ended: each began when the one before it had ended. Who wants a faster run shortens one of these. */
import type { StepRun } from '@tickwheel/contract'
import { stepRunsByKey, type RunShape, type StepOf } from './run-shape.ts'

export interface CriticalPath {
  /** from the first step to the last */
  readonly steps: readonly string[]
  /** places in the definition's edges */
  readonly edges: ReadonlySet<number>
}

interface Way {
  readonly edge: number
  readonly from: StepRun
  readonly atMs: number
  readonly isTaken: boolean
}

/**
 * Goes back from the step that ended last, or, while the run goes on, from the one that has been open longest. A step that was kept from an earlier run
 * took no time in this one: the chain begins behind it. Empty before any step has begun.
 */
export function criticalPath(run: RunShape): CriticalPath {
  const runs = stepRunsByKey(run)
  const definitions = new Map(run.definition.steps.map((step) => [step.key, step]))
  const into = waysInto(run, runs)
  const steps: string[] = []
  const edges = new Set<number>()
  let step = lastOf(run.stepRuns)
  while (step !== null && !steps.includes(step.key)) {
    steps.unshift(step.key)
    const way = decisive(definitions.get(step.key)?.join, into.get(step.key) ?? [])
    if (way === null || way.from.reusedFrom !== null) break
    edges.add(way.edge)
    step = way.from
  }
  return { steps, edges }
}

function lastOf(steps: readonly StepRun[]): StepRun | null {
  const began = steps.filter((step) => step.startedAt !== null && step.reusedFrom === null)
  const open = began.filter((step) => step.endedAt === null)
  if (open.length > 0) return best(open, (step) => -msOf(step.startedAt))
  return best(began, (step) => msOf(step.endedAt))
}

/** Which way in was the last that the join waited for. */
function decisive(join: StepOf['join'], ways: readonly Way[]): Way | null {
  if (join === undefined || join === 'all' || join === 'allDone') return best(ways, (way) => way.atMs)
  const taken = ways.filter((way) => way.isTaken).sort((a, b) => a.atMs - b.atMs)
  return taken[join === 'any' ? 0 : Math.min(join.atLeast, taken.length) - 1] ?? null
}

function waysInto(run: RunShape, runs: ReadonlyMap<string, StepRun>): Map<string, Way[]> {
  const into = new Map<string, Way[]>()
  for (const [edge, { from, to }] of run.definition.edges.entries()) {
    const decision = run.edges[edge] ?? null
    const source = runs.get(from)
    if (decision === null || source?.endedAt == null) continue
    const ways = into.get(to) ?? []
    ways.push({ edge, from: source, atMs: Date.parse(source.endedAt), isTaken: decision === 'taken' })
    into.set(to, ways)
  }
  return into
}

function msOf(at: string | null): number {
  return at === null ? 0 : Date.parse(at)
}

/** The first of those with the highest figure. */
function best<Item>(items: readonly Item[], figure: (item: Item) => number): Item | null {
  return items.reduce<Item | null>((found, item) => (found === null || figure(item) > figure(found) ? item : found), null)
}
