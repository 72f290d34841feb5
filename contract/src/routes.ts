import { alarmChannelRoutes } from './alarm-channels.ts'
import { alarmRoutes } from './alarms.ts'
import { auditRoutes } from './audit.ts'
import { authRoutes } from './auth.ts'
import { backfillRoutes } from './backfills.ts'
import { bulkRoutes } from './bulks.ts'
import { calendarRoutes } from './calendars.ts'
import { clusterRoutes } from './cluster.ts'
import { completenessRoutes } from './completeness.ts'
import { documentRoutes } from './documents.ts'
import { dashboardRoutes } from './dashboard.ts'
import { executorRoutes } from './executors.ts'
import { groupRoutes } from './groups.ts'
import { impactRoutes } from './impact.ts'
import { instanceRoutes } from './instances.ts'
import { roleRoutes } from './roles.ts'
import { searchRoutes } from './search.ts'
import { storageRoutes } from './storage.ts'
import { systemRoutes } from './system.ts'
import { taskRoutes } from './tasks.ts'
import { tokenRoutes } from './tokens.ts'
import { userRoutes } from './users.ts'
import { variableRoutes } from './variables.ts'
import { workflowRunRoutes } from './workflow-runs.ts'
import { workflowRoutes } from './workflows.ts'

/** Every call of the API. The server registers nothing else, and does not compile while one has no handler. */
export const routes = [
  ...authRoutes,
  ...groupRoutes,
  ...taskRoutes,
  ...instanceRoutes,
  ...workflowRoutes,
  ...workflowRunRoutes,
  ...backfillRoutes,
  ...bulkRoutes,
  ...executorRoutes,
  ...tokenRoutes,
  ...auditRoutes,
  ...userRoutes,
  ...roleRoutes,
  ...alarmChannelRoutes,
  ...alarmRoutes,
  ...variableRoutes,
  ...dashboardRoutes,
  ...calendarRoutes,
  ...impactRoutes,
  ...completenessRoutes,
  ...documentRoutes,
  ...clusterRoutes,
  ...searchRoutes,
  ...storageRoutes,
  ...systemRoutes,
] as const

export type Route = (typeof routes)[number]
export type RouteId = Route['id']
