import { FINDINGS } from '@tickwheel/core'
import { Type, type Static } from 'typebox'
import { defineRoute } from './route.ts'
import { Id, Instant, listOf, nullable, oneOf, strict } from './shape.ts'

const Count = Type.Integer({ minimum: 0 })

/** What became of what was due: `expected` = `fired` + `skipped` + `missing`. `reasons`: the skipped ones by their reason. */
const figures = {
  expected: Count,
  fired: Count,
  skipped: Count,
  missing: Type.Integer({ minimum: 0, description: 'due, and the ledger does not say what became of it: 0, or data was lost or changed' }),
  doubled: Type.Integer({ minimum: 0, description: 'settled twice, or fired without being due: 0, or data was changed' }),
  reasons: Type.Record(Type.String(), Count),
}

export const CompletenessFigures = strict(figures)
export type CompletenessFigures = Static<typeof CompletenessFigures>

export const Completeness = strict({
  from: Instant,
  to: Instant,
  since: nullable(Instant),
  reckonedUntil: nullable(Instant),
  lagMs: nullable(Type.Integer({ minimum: 0 })),
  total: CompletenessFigures,
  hours: Type.Array(strict({ hourAt: Instant, ...figures })),
  groups: Type.Array(strict({ groupId: Id, groupName: Type.String(), ...figures })),
})
export type Completeness = Static<typeof Completeness>

/** What the reckoner found wrong with the ledger. `goneAt`: it is over (a firing that was overdue, and came). */
export const LedgerFinding = strict({
  kind: oneOf(FINDINGS),
  taskId: Id,
  taskName: Type.String(),
  isWorkflow: Type.Boolean(),
  groupId: Id,
  fromAt: Instant,
  toAt: Instant,
  n: Type.Integer({ minimum: 0, description: 'instants' }),
  foundAt: Instant,
  goneAt: nullable(Instant),
  facts: Type.Record(Type.String(), Type.Unknown()),
})
export type LedgerFinding = Static<typeof LedgerFinding>

export const RecoveryGroup = strict({ groupId: Id, groupName: Type.String(), madeUp: Count, skipped: Count })
export type RecoveryGroup = Static<typeof RecoveryGroup>

export const RecoveryTask = strict({
  taskId: Id,
  taskName: Type.String(),
  groupId: Id,
  isWorkflow: Type.Boolean(),
  policy: Type.String({
    description: 'the rule for missed firings that decided, or `restored`; empty: it fired late, within its time of grace',
  }),
  madeUp: Count,
  skipped: Count,
  firstAt: Instant,
  lastAt: Instant,
})
export type RecoveryTask = Static<typeof RecoveryTask>

/** What was made of the instants that came while nothing fired. `fromAt`: the first of them; `toAt`: when they began to be settled. */
export const RecoveryReport = strict({
  id: Id,
  fromAt: Instant,
  toAt: Instant,
  settledAt: Instant,
  madeUp: Count,
  skipped: Count,
  groups: Type.Array(RecoveryGroup),
  tasks: Type.Array(RecoveryTask),
  isCut: Type.Boolean({ description: 'there are more tasks than are named' }),
})
export type RecoveryReport = Static<typeof RecoveryReport>

const tag = 'completeness'
export const completenessRoutes = [
  defineRoute({
    id: 'getCompleteness',
    method: 'GET',
    path: '/completeness',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'What became of everything that was due, by hour and by group, as recomputed by the reckoner',
    query: strict({
      from: Type.Optional(Instant),
      to: Type.Optional(Instant),
      groupId: Type.Optional(Id),
    }),
    status: 200,
    answer: Completeness,
  }),
  defineRoute({
    id: 'listFindings',
    method: 'GET',
    path: '/completeness/finding',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'What the reckoner found wrong with the ledger, newest first: at most 200',
    query: strict({ from: Type.Optional(Instant), to: Type.Optional(Instant), groupId: Type.Optional(Id) }),
    status: 200,
    answer: listOf(LedgerFinding),
  }),
  defineRoute({
    id: 'listRecoveries',
    method: 'GET',
    path: '/recovery',
    access: 'task:view',
    budget: 'read',
    tag,
    summary: 'After an outage: what was made up and what was skipped, by which rule; the last 20, newest first',
    query: strict({}),
    status: 200,
    answer: listOf(RecoveryReport),
  }),
] as const
