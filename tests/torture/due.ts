/**
 * When a series is due, said a second time: cron by the library croner, rates by arithmetic. Shares nothing with core's schedules.
 */
import { Cron } from 'croner'

/** A row of `schedule_span`; `toAt` is exclusive, null: still in force. */
export interface Span {
  readonly seriesId: number
  readonly fromAt: number
  readonly toAt: number | null
  readonly isEnabled: boolean
  readonly anchorAt: number
  readonly schedule: Schedule
}

export interface Schedule {
  readonly kind: string
  readonly expression?: string
  readonly timezone?: string
  readonly everyMs?: number
  readonly delayMs?: number
  readonly at?: string | number
}

/** Each instant of a schedule in [from, to), oldest first. */
export type Instants = (schedule: Schedule, span: { readonly fromAt: number; readonly toAt: number; readonly anchorAt: number }) => number[]

/** Walks each cron expression only once over the whole time [from, to) that is asked about. */
export function instantsBetween(from: number, to: number): Instants {
  const walked = new Map<string, number[]>()
  const cron = (expression: string, timezone: string): number[] => {
    const key = `${timezone} ${expression}`
    const known = walked.get(key) ?? walk(new Cron(expression, { timezone, sloppyRanges: true }), from, to)
    walked.set(key, known)
    return known
  }
  return ({ kind, expression = '', timezone = 'UTC', everyMs = 0, at = 0 }, { fromAt, toAt, anchorAt }) => {
    const isInside = (instant: number): boolean => fromAt <= instant && instant < toAt
    if (kind === 'cron') return cron(expression, timezone).filter(isInside)
    if (kind === 'fixedRate') return grid(anchorAt, everyMs, toAt).filter(isInside)
    return kind === 'once' ? [new Date(at).getTime()].filter(isInside) : []
  }
}

function walk(cron: Cron, from: number, to: number): number[] {
  const instants: number[] = []
  for (let next = cron.nextRun(new Date(from - 1)); next !== null && next.getTime() < to; next = cron.nextRun(next))
    instants.push(next.getTime())
  return instants
}

function grid(anchorAt: number, everyMs: number, to: number): number[] {
  if (everyMs <= 0) throw new Error(`a rate of ${String(everyMs)} ms`)
  return Array.from({ length: Math.max(0, Math.ceil((to - anchorAt) / everyMs) - 1) }, (_none, index) => anchorAt + (index + 1) * everyMs)
}
