import type { StepRun, WorkflowRun } from '@tickwheel/contract'
import type { StepKind } from '@tickwheel/core'
import type { RunShape, StepOf } from './run-shape.ts'

/** An instant of the day on which fixtures play. */
export const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 22, 8, 0, 0, Math.round(seconds * 1000))).toISOString()

type Given = Partial<StepRun> & { readonly from?: number; readonly to?: number | null; readonly kind?: StepKind; readonly join?: StepOf['join'] }

/** A run from a few words: `from` and `to` of a step in seconds, an edge as `a>b`, with its decision where it is not `taken`. */
export function runOf(steps: Readonly<Record<string, Given>>, edges: Readonly<Record<string, WorkflowRun['edges'][number]>> = {}): RunShape {
  const stepRuns = Object.entries(steps).map(([key, given], no) => stepRunOf(key, no, given))
  const began = stepRuns.flatMap((step) => (step.startedAt === null || step.reusedFrom !== null ? [] : [step.startedAt])).sort()
  const isOpen = stepRuns.some((step) => step.startedAt !== null && step.endedAt === null)
  return {
    startedAt: began[0] ?? null,
    endedAt: isOpen ? null : (stepRuns.flatMap((step) => (step.endedAt === null ? [] : [step.endedAt])).sort().at(-1) ?? null),
    stepRuns,
    edges: Object.values(edges),
    definition: {
      name: 'w', description: '', owner: '', tags: [], schedule: { kind: 'manual' }, overlap: { policy: 'skip', max: 0 }, misfire: { policy: 'skip', graceMs: 0, max: 0 }, timeoutMs: 0, priority: 5,
      pauseAfterFailures: 0, stepConcurrency: 0, onFailure: 'finish',
      steps: Object.entries(steps).map(([key, { join }]): StepOf => ({ key, kind: 'task', task: `default/${key}`, ...(join === undefined ? {} : { join }) })),
      edges: Object.keys(edges).map((edge) => {
        const [from = '', to = ''] = edge.split('>')
        return { from, to }
      }),
    },
  }
}

function stepRunOf(key: string, no: number, { from, to, join: _join, ...given }: Given): StepRun {
  const startedAt = from === undefined ? null : at(from)
  const endedAt = to == null ? null : at(to)
  return {
    key, no, kind: 'task', state: startedAt === null ? 'pending' : endedAt === null ? 'running' : 'succeeded', round: 1, branch: null, startedAt, endedAt, nextAt: null, instanceId: null, workflowRunId: null, error: null,
    waitingFor: null, items: null, skippedBy: [], reusedFrom: null, decidedBy: null, ...given,
  }
}
