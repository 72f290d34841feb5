import type { Task, TaskCreate } from '@tickwheel/contract'
import { parseInstant, visibleScope, type Scope } from '@tickwheel/core'
import type { Commands } from '../../engine/commands.ts'
import type { Database } from '../../store/database.ts'
import { listFirings, whyAt } from '../../store/ledger.ts'
import { calendarOfUnsaved, requireSeenCalendar } from '../../store/named-calendar.ts'
import { TASK } from '../../store/scheduled-kind.ts'
import { getTask, listTasks, listTaskVersions } from '../../store/task-list.ts'
import { definitionOf } from '../../store/tasks.ts'
import type { SignedUser } from '../../auth/signed-user.ts'
import type { HandlersOf } from '../handlers.ts'
import { mayIn, requireAlso, requireWhereSeen } from '../may-also.ts'
import { nextFirings, preview } from '../next-firings.ts'
import { pageOf } from '../paging.ts'
import type { Locate } from '../register.ts'

export interface TaskParts {
  readonly db: Database
  readonly commands: Commands
  readonly locate: Locate
  readonly serverZone: string
  /** cluster time, epoch ms */
  readonly now: () => number
}

type TaskCalls =
  | 'listTasks'
  | 'createTask'
  | 'getTask'
  | 'updateTask'
  | 'deleteTask'
  | 'startTask'
  | 'stopTask'
  | 'triggerTask'
  | 'nextFirings'
  | 'previewRoute'
  | 'listTaskVersions'
  | 'restoreTaskVersion'
  | 'listFirings'
  | 'why'
  | 'previewSchedule'

export function taskHandlers(parts: TaskParts): HandlersOf<TaskCalls> {
  const { db, commands, locate, now } = parts
  const one = async (taskId: number, scope: Scope, who: SignedUser): Promise<Task> =>
    getTask(db, scope, taskId, mayIn(who, 'task:viewParams'))
  return {
    listTasks: async ({ query, scope }) => listTasks(db, scope, query),
    getTask: async ({ params, scope, who }) => one(params.id, scope, who),
    createTask: async ({ body, scope, who, caller }) => {
      requireSaveRights(body, who)
      await requireSeenCalendar(db, body.schedule, seenCalendars(who))
      const { taskId } = await commands.createTask(body, scope, caller, mayRefer(who))
      return one(taskId, scope, who)
    },
    updateTask: async ({ params, body, scope, who, caller }) => {
      requireSaveRights(body, who)
      await requireSeenCalendar(db, body.schedule, seenCalendars(who))
      await commands.updateTask(params.id, body, scope, caller, mayRefer(who))
      return one(params.id, scope, who)
    },
    deleteTask: async ({ params, query, scope, caller }) => {
      await commands.deleteTask(params.id, { cancelRunning: query.cancelRunning ?? false }, scope, caller)
      return null
    },
    startTask: async ({ params, scope, who, caller }) => {
      await commands.startTask(params.id, scope, caller)
      return one(params.id, scope, who)
    },
    stopTask: async ({ params, query, scope, who, caller }) => {
      await commands.stopTask(params.id, { cancelRunning: query.cancelRunning ?? false }, scope, caller)
      return one(params.id, scope, who)
    },
    triggerTask: async ({ params, body, scope, who, caller, idempotencyKey }) => {
      if (body.params !== undefined || body.executorId !== undefined)
        requireAlso(who, 'task:runWithParams', await locate('task', params.id))
      return commands.trigger(params.id, { ...body, mayRefer: mayRefer(who) }, idempotencyKey, scope, caller)
    },
    nextFirings: async ({ params, query, scope }) => nextFirings(parts, { kind: TASK, id: params.id, scope, count: query.count ?? 10 }),
    previewRoute: async ({ params, scope }) => commands.previewRoute(params.id, scope),
    listTaskVersions: async ({ params, query, scope, who }) =>
      listTaskVersions(db, scope, { taskId: params.id, mayViewParams: mayIn(who, 'task:viewParams'), ...pageOf(query) }),
    restoreTaskVersion: async ({ params, scope, who, caller }) => {
      const old = await db.read((tx) => definitionOf(tx, params.id, params.version))
      if (old !== null && isScript(old.handler)) requireAlso(who, 'task:editScript', await locate('task', params.id))
      await commands.restoreTaskVersion(params.id, params.version, scope, caller, mayRefer(who))
      return one(params.id, scope, who)
    },
    listFirings: async ({ params, query, scope }) => listFirings(db, scope, { taskId: params.id, ...query }),
    why: async ({ params, query, scope }) => whyAt(db, scope, { taskId: params.id, at: parseInstant(query.at) ?? now(), now: now() }),
    previewSchedule: async ({ body, who }) =>
      preview(body.schedule, parts, {
        calendar: await calendarOfUnsaved(db, body.schedule, { calendars: seenCalendars(who), zone: parts.serverZone }),
        count: body.count ?? 10,
        from: body.from === undefined ? undefined : (parseInstant(body.from) ?? undefined),
      }),
  }
}

/** The secrets that somebody may see the names of are those that their tasks may refer to. */
function mayRefer({ grants }: SignedUser): Scope {
  return visibleScope(grants, 'secret:view')
}

function seenCalendars({ grants }: SignedUser): Scope {
  return visibleScope(grants, 'calendar:view')
}

/** Who may save a shell command or a script has a shell on the executors. The group may be another than before. */
function requireSaveRights({ handler, groupId }: TaskCreate, who: SignedUser): void {
  requireWhereSeen(who, 'task:edit', groupId)
  if (isScript(handler)) requireWhereSeen(who, 'task:editScript', groupId)
}

function isScript({ kind }: TaskCreate['handler']): boolean {
  return kind === 'shell' || kind === 'script'
}
