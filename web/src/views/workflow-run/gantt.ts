/** The steps of a run on a line of time: where each bar begins and how long it is, as shares of the whole. */
import type { StepRun } from '@tickwheel/contract'
import type { StepState } from '../../components/run-state.ts'
import type { RunShape } from './run-shape.ts'

export interface GanttRow {
  readonly key: string
  readonly kind: StepRun['kind']
  readonly state: StepState
  /** 0–1 of the span */
  readonly left: number
  readonly width: number
  readonly ms: number
  readonly isOpen: boolean
  readonly isCritical: boolean
}

export interface GanttTick {
  readonly left: number
  /** since the start of the run */
  readonly ms: number
}

export interface Gantt {
  readonly spanMs: number
  /** in the order in which they began */
  readonly rows: readonly GanttRow[]
  readonly ticks: readonly GanttTick[]
  /** steps that have no bar: they have not begun, were skipped, or were kept from an earlier run */
  readonly without: number
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const TICK_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500], ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND), ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), ...[1, 2, 3, 6, 12].map((n) => n * HOUR), ...[1, 2, 7, 14, 30].map((n) => n * DAY),
]

/** `nowMs`: the server's time, where bars that are open end. `ticks`: at most so many. */
export function ganttOf(run: RunShape, critical: readonly string[], nowMs: number, ticks = 8): Gantt {
  const began = run.stepRuns.flatMap((step) => (step.startedAt === null || step.reusedFrom !== null ? [] : [{ step, fromMs: Date.parse(step.startedAt), toMs: step.endedAt === null ? nowMs : Date.parse(step.endedAt) }]))
  const startMs = Math.min(run.startedAt === null ? nowMs : Date.parse(run.startedAt), ...began.map(({ fromMs }) => fromMs))
  const endMs = Math.max(run.endedAt === null ? nowMs : Date.parse(run.endedAt), ...began.map(({ toMs }) => toMs))
  const spanMs = Math.max(1, endMs - startMs)
  const onPath = new Set(critical)
  const rows = began
    .sort((a, b) => a.fromMs - b.fromMs || a.step.no - b.step.no)
    .map(({ step, fromMs, toMs }): GanttRow => {
      const ms = Math.max(0, toMs - fromMs)
      return { key: step.key, kind: step.kind, state: step.state, left: (fromMs - startMs) / spanMs, width: ms / spanMs, ms, isOpen: step.endedAt === null, isCritical: onPath.has(step.key) }
    })
  return { spanMs, rows, ticks: ticksOf(spanMs, ticks), without: run.stepRuns.length - rows.length }
}

/** Round instants over a span, the first at 0. */
export function ticksOf(spanMs: number, most: number): GanttTick[] {
  const step = TICK_STEPS.find((ms) => spanMs / ms <= most) ?? Math.ceil(spanMs / most)
  return Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, index) => ({ ms: index * step, left: (index * step) / spanMs }))
}
