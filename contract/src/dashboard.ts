import { Type, type Static } from 'typebox'
import { CompletenessFigures } from './completeness.ts'
import { defineRoute } from './route.ts'
import { Id, Instant, nullable, oneOf, strict } from './shape.ts'

const Count = Type.Integer({ minimum: 0 })
const LateMs = nullable(Type.Integer({ minimum: 0, description: 'read from a histogram, off by a fifth at most; null: nothing started' }))

/** hours that are told at once */
export const DASHBOARD_HOURS = { default: 24, max: 168 } as const
/** how far ahead firings are told */
export const COMING_MINUTES = 60
export const DASHBOARD_LIMITS = { attention: 100, groups: 50, executors: 20, coming: 10 } as const

export const DashboardQuery = strict({
  hours: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: DASHBOARD_HOURS.max,
      default: DASHBOARD_HOURS.default,
      description: 'how many hours back, the current one counted',
    }),
  ),
  groupId: Type.Optional(Id),
})
export type DashboardQuery = Static<typeof DashboardQuery>

const outcomes = { succeeded: Count, failed: Count, timedOut: Count, canceled: Count, lost: Count, skipped: Count }

/** How many runs ended in which way; a sharded run and a run of a workflow count once. */
export const OutcomeFigures = strict(outcomes)
export type OutcomeFigures = Static<typeof OutcomeFigures>

const lateness = {
  starts: Type.Integer({ minimum: 0, description: 'runs that a schedule fired and that started; of retries only the first try' }),
  p50Ms: LateMs,
  p99Ms: LateMs,
}

export const DashboardHour = strict({ hourAt: Instant, ...outcomes, ...lateness })
export type DashboardHour = Static<typeof DashboardHour>

/** `slots` and `used`: of the executors that are online. `waiting`: runs that wait for one, at most 10,000. */
export const GroupLoad = strict({
  groupId: Id,
  groupName: Type.String(),
  online: Count,
  draining: Count,
  offline: Count,
  slots: Count,
  used: Count,
  waiting: Count,
})
export type GroupLoad = Static<typeof GroupLoad>

export const ExecutorLoad = strict({
  id: Id,
  name: Type.String(),
  groupId: Id,
  groupName: Type.String(),
  isDraining: Type.Boolean(),
  slots: Count,
  used: Count,
})
export type ExecutorLoad = Static<typeof ExecutorLoad>

export const ComingFiring = strict({ at: Instant, id: Id, name: Type.String(), groupId: Id, isWorkflow: Type.Boolean() })
export type ComingFiring = Static<typeof ComingFiring>

/**
 * What may need a person. `broken`: findings of the reckoner, series that are held or paused by themselves, tasks whose last run failed, incidents that are
 * open, channels that do not send. `late`: what is overdue. `full`: queues that wait, and executors that are gone.
 */
export const ATTENTION_KINDS = [
  'finding',
  'held',
  'failing',
  'paused',
  'incident',
  'channel',
  'overdue',
  'waiting',
  'executorsGone',
] as const
export type AttentionKind = (typeof ATTENTION_KINDS)[number]
export const ATTENTION_LEVELS = ['broken', 'late', 'full'] as const
export type AttentionLevel = (typeof ATTENTION_LEVELS)[number]

export const Attention = strict({
  kind: oneOf(ATTENTION_KINDS),
  level: oneOf(ATTENTION_LEVELS),
  id: nullable(
    Type.Integer({
      minimum: 1,
      description: 'of the task, workflow, incident or channel; null: it is about the group, or the installation',
    }),
  ),
  name: Type.String(),
  groupId: nullable(Id),
  groupName: Type.String(),
  isWorkflow: Type.Boolean(),
  n: Type.Integer({
    minimum: 1,
    description: 'failures in a row (at most 20), runs that wait (at most 10,000), executors, messages, instants',
  }),
  at: nullable(Instant),
  facts: Type.Record(Type.String(), Type.Unknown()),
})
export type Attention = Static<typeof Attention>

/**
 * Each part is null, and named in `hidden`, where the caller may see it in no group: `outcomes`, `lateness` and their hours need `instance:view`, `executors`
 * needs `executor:view`, `coming` and `completeness` need `task:view`. All figures are sums over the groups in which the caller has that permission.
 */
export const Dashboard = strict({
  at: Instant,
  from: Instant,
  hours: nullable(Type.Array(DashboardHour, { description: 'one for each hour, oldest first; the last is the current one' })),
  outcomes: nullable(OutcomeFigures),
  lateness: nullable(strict(lateness)),
  executors: nullable(
    strict({
      online: Count,
      draining: Count,
      offline: Count,
      slots: Count,
      used: Count,
      waiting: Count,
      groups: Type.Array(GroupLoad, { description: 'the fullest first, at most 50' }),
      busiest: Type.Array(ExecutorLoad, { description: 'at most 20' }),
    }),
  ),
  coming: nullable(
    strict({
      from: Instant,
      minutes: Type.Array(Count, { description: 'how many firings in each of the next 60 minutes' }),
      total: Count,
      isCut: Type.Boolean({ description: 'there are more than were counted' }),
      first: Type.Array(ComingFiring, { description: 'the next firing of those whose turn comes first, at most 10' }),
    }),
  ),
  attention: strict({ items: Type.Array(Attention, { description: 'broken, then late, then full; at most 100' }), isCut: Type.Boolean() }),
  completeness: nullable(
    strict({ figures: CompletenessFigures, reckonedUntil: nullable(Instant), lagMs: nullable(Type.Integer({ minimum: 0 })) }),
  ),
  isEmpty: Type.Boolean({ description: 'there is no task and no workflow that the caller may see' }),
  hidden: Type.Optional(Type.Array(oneOf(['outcomes', 'lateness', 'executors', 'coming', 'completeness']))),
})
export type Dashboard = Static<typeof Dashboard>

export const dashboardRoutes = [
  defineRoute({
    id: 'getDashboard',
    method: 'GET',
    path: '/dashboard',
    access: 'self',
    budget: 'read',
    tag: 'dashboard',
    summary: 'What is broken, late and full, and what comes next, in the groups that the caller may see',
    query: DashboardQuery,
    status: 200,
    answer: Dashboard,
  }),
] as const
