import type { Backfill } from '@tickwheel/contract'
import { visibleScope, type Permission } from '@tickwheel/core'
import type { Commands } from '../../engine/commands.ts'
import { previewBackfill } from '../../store/backfills.ts'
import { getBackfill, listBackfillRuns, listBackfills, type BackfillScope } from '../../store/backfill-views.ts'
import type { Database } from '../../store/database.ts'
import { TASK, WORKFLOW } from '../../store/scheduled-kind.ts'
import type { SignedUser } from '../../auth/signed-user.ts'
import type { HandlersOf } from '../handlers.ts'
import { requireAlso } from '../may-also.ts'

export interface BackfillParts {
  readonly db: Database
  readonly commands: Commands
  readonly serverZone: string
  /** cluster time, epoch ms */
  readonly now: () => number
}

type BackfillCalls =
  | 'backfillTask'
  | 'previewTaskBackfill'
  | 'backfillWorkflow'
  | 'previewWorkflowBackfill'
  | 'listBackfills'
  | 'getBackfill'
  | 'listBackfillRuns'
  | 'cancelBackfill'

export function backfillHandlers({ db, commands, serverZone, now }: BackfillParts): HandlersOf<BackfillCalls> {
  return {
    backfillTask: async ({ params, body, scope, caller, idempotencyKey }) =>
      commands.backfill({ kind: TASK, taskId: params.id }, body, idempotencyKey, scope, caller),
    previewTaskBackfill: async ({ params, body, scope }) =>
      previewBackfill(db, scope, { kind: TASK, taskId: params.id, body, now: now(), serverZone }),
    backfillWorkflow: async ({ params, body, scope, caller, idempotencyKey }) =>
      commands.backfill({ kind: WORKFLOW, taskId: params.id }, body, idempotencyKey, scope, caller),
    previewWorkflowBackfill: async ({ params, body, scope }) =>
      previewBackfill(db, scope, { kind: WORKFLOW, taskId: params.id, body, now: now(), serverZone }),
    listBackfills: async ({ query, who }) => listBackfills(db, viewScope(who), query),
    getBackfill: async ({ params, who }) => getBackfill(db, viewScope(who), params.id),
    listBackfillRuns: async ({ params, query, who }) => listBackfillRuns(db, viewScope(who), { backfillId: params.id, ...query }),
    cancelBackfill: async ({ params, query, who, caller }) => {
      const backfill = await getBackfill(db, viewScope(who), params.id)
      requireAlso(who, runPermission(backfill), backfill.groupId)
      const scope = visibleScope(who.grants, runPermission(backfill))
      await commands.cancelBackfill(params.id, { cancelRunning: query.cancelRunning ?? false }, scope, caller)
      return getBackfill(db, viewScope(who), params.id)
    },
  }
}

function viewScope({ grants }: SignedUser): BackfillScope {
  return { tasks: visibleScope(grants, 'task:view'), workflows: visibleScope(grants, 'workflow:view') }
}

/** Who may begin it may cancel it. */
function runPermission({ kind }: Backfill): Permission {
  return kind === 'workflow' ? 'workflow:run' : 'task:run'
}
