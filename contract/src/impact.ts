import { Type, type Static } from 'typebox'
import { defineRoute } from './route.ts'
import { IdParams, Instant, strict } from './shape.ts'
import { ScheduleInput } from './tasks.ts'

const Count = Type.Integer({ minimum: 0 })
const Firings = strict({ count: Count, firings: Type.Array(Instant, { description: 'the first 100' }) })

/**
 * Which firings from now until 30 days later another schedule adds, removes or moves. `before` and `after` count the firings of each side. `isKnown` false:
 * the instants of a side depend on when its runs end (a fixedDelay), and nothing can be compared. `isCapped`: a side has more than 10,000 firings, and
 * `until` is where the comparison ends.
 */
export const ScheduleImpact = strict({
  from: Instant,
  until: Instant,
  isKnown: Type.Boolean(),
  isCapped: Type.Boolean(),
  before: Count,
  after: Count,
  added: Firings,
  removed: Firings,
  moved: strict({ count: Count, firings: Type.Array(strict({ from: Instant, to: Instant }), { description: 'the first 100' }) }),
})
export type ScheduleImpact = Static<typeof ScheduleImpact>

const impact = {
  method: 'POST',
  budget: 'heavy',
  params: IdParams,
  body: strict({ schedule: ScheduleInput }),
  status: 200,
  answer: ScheduleImpact,
  summary: 'What another schedule would change in the next 30 days',
} as const
export const impactRoutes = [
  defineRoute({ ...impact, id: 'taskImpact', path: '/task/:id/impact', access: 'task:view', tag: 'task' }),
  defineRoute({ ...impact, id: 'workflowImpact', path: '/workflow/:id/impact', access: 'workflow:view', tag: 'workflow' }),
] as const
