import { DASHBOARD_HOURS, type Attention, type Dashboard, type DashboardQuery } from '@tickwheel/contract'
import { visibleScope, type Permission, type Scope } from '@tickwheel/core'
import type { CachedReads } from '../../cached-reads.ts'
import type { ComingFirings } from '../../coming-firings.ts'
import { readAttention, type AttentionScopes } from '../../store/attention.ts'
import { completeness } from '../../store/completeness.ts'
import { hourOf } from '../../store/counters.ts'
import type { Database } from '../../store/database.ts'
import { readExecutorLoad } from '../../store/executor-load.ts'
import { readHourFigures } from '../../store/hour-figures.ts'
import { instantText } from '../../store/page.ts'
import { hasAnyTask } from '../../store/scheduled-list.ts'
import { groupsOf } from '../../store/scope.ts'
import type { HandlersOf } from '../handlers.ts'

export interface DashboardParts {
  readonly db: Database
  readonly coming: ComingFirings
  /** tasks of all groups that have stopped by themselves */
  readonly stopped: () => Promise<readonly Attention[]>
  readonly reads: CachedReads
  /** cluster time, epoch ms */
  readonly now: () => number
}

const HOUR_MS = 3_600_000

export function dashboardHandlers(parts: DashboardParts): HandlersOf<'getDashboard'> {
  return {
    getDashboard: async ({ query, who }) => {
      const scopes = scopesOf((permission) => visibleScope(who.grants, permission))
      return parts.reads.dashboard(scopes, query, () => dashboard(parts, scopes, query))
    },
  }
}

function scopesOf(scope: (permission: Permission) => Scope): AttentionScopes {
  return {
    tasks: scope('task:view'),
    workflows: scope('workflow:view'),
    runs: scope('instance:view'),
    executors: scope('executor:view'),
    alarms: scope('alarm:view'),
  }
}

/** The parts that somebody may see in no group are null and named. */
async function dashboard(
  { db, coming, stopped, now: clock }: DashboardParts,
  scopes: AttentionScopes,
  { hours = DASHBOARD_HOURS.default, groupId }: DashboardQuery,
): Promise<Dashboard> {
  const now = clock()
  const from = hourOf(now) - (hours - 1) * HOUR_MS
  const within = (scope: Scope) => groupsOf(scope, groupId)
  const figures = mayNone(scopes.runs) ? null : await db.read((tx) => readHourFigures(tx, { from, hours, groups: within(scopes.runs) }))
  const executors = mayNone(scopes.executors) ? null : await db.read((tx) => readExecutorLoad(tx, within(scopes.executors)))
  const reckoned = mayNone(scopes.tasks) ? null : await completeness(db, scopes.tasks, { groupId, now })
  const mayComing = !mayNone(scopes.tasks) || !mayNone(scopes.workflows)
  const hidden = [
    ...(figures === null ? (['outcomes', 'lateness'] as const) : []),
    ...(executors === null ? (['executors'] as const) : []),
    ...(mayComing ? [] : (['coming'] as const)),
    ...(reckoned === null ? (['completeness'] as const) : []),
  ]
  return {
    at: instantText(now),
    from: instantText(from),
    hours: figures === null ? null : [...figures.hours],
    outcomes: figures?.outcomes ?? null,
    lateness: figures?.lateness ?? null,
    executors,
    coming: mayComing ? await coming.in({ tasks: within(scopes.tasks), workflows: within(scopes.workflows) }) : null,
    attention: await readAttention(db, scopes, { groupId, now, stopped: await stopped() }),
    completeness: reckoned === null ? null : { figures: reckoned.total, reckonedUntil: reckoned.reckonedUntil, lagMs: reckoned.lagMs },
    isEmpty: !(await hasAnyTask(db, { tasks: within(scopes.tasks), workflows: within(scopes.workflows) })),
    ...(hidden.length === 0 ? {} : { hidden }),
  }
}

function mayNone(scope: Scope): boolean {
  return scope !== 'all' && scope.length === 0
}
