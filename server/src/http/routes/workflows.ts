import type { Handler as StepHandler, Workflow, WorkflowCreate } from '@tickwheel/contract'
import { parseInstant, visibleScope, type Scope } from '@tickwheel/core'
import type { Commands } from '../../engine/commands.ts'
import type { Database } from '../../store/database.ts'
import { listFirings, whyAt } from '../../store/ledger.ts'
import { requireSeenCalendar } from '../../store/named-calendar.ts'
import { livingRow, WORKFLOW } from '../../store/scheduled-kind.ts'
import { getWorkflow, getWorkflowVersion, listWorkflows, listWorkflowVersions } from '../../store/workflow-list.ts'
import { inlineTasksOf } from '../../store/workflow-problems.ts'
import type { RunRights } from '../../store/run-rights.ts'
import type { WorkflowVersions } from '../../store/workflow-versions.ts'
import { workflowProblems } from '../../store/workflows.ts'
import type { SignedUser } from '../../auth/signed-user.ts'
import type { HandlersOf } from '../handlers.ts'
import { mayIn, requireAlso, requireWhereSeen } from '../may-also.ts'
import { nextFirings } from '../next-firings.ts'
import { pageOf } from '../paging.ts'
import type { Locate } from '../register.ts'
import { sendsYaml } from '../workflow-yaml.ts'

export interface WorkflowParts {
  readonly db: Database
  readonly versions: WorkflowVersions
  readonly commands: Commands
  readonly locate: Locate
  readonly serverZone: string
  /** cluster time, epoch ms */
  readonly now: () => number
}

type WorkflowCalls =
  | 'listWorkflows'
  | 'createWorkflow'
  | 'validateWorkflow'
  | 'getWorkflow'
  | 'updateWorkflow'
  | 'deleteWorkflow'
  | 'startWorkflow'
  | 'stopWorkflow'
  | 'triggerWorkflow'
  | 'nextWorkflowFirings'
  | 'listWorkflowFirings'
  | 'whyWorkflow'
  | 'listWorkflowVersions'
  | 'getWorkflowVersion'
  | 'restoreWorkflowVersion'

export function workflowHandlers(parts: WorkflowParts): HandlersOf<WorkflowCalls> {
  const { db, versions, commands, locate, serverZone, now } = parts
  const one = async (workflowId: number, scope: Scope, who: SignedUser): Promise<Workflow> =>
    getWorkflow(db, scope, { workflowId, versions, mayViewParams: mayIn(who, 'workflow:viewParams') })
  return {
    listWorkflows: async ({ query, scope }) => listWorkflows(db, scope, { ...query, versions }),
    getWorkflow: async ({ params, scope, who, wantsYaml }) => {
      const workflow = await one(params.id, scope, who)
      return wantsYaml ? sendsYaml(workflow) : workflow
    },
    createWorkflow: async ({ body, scope, who, caller }) => {
      requireWhereSeen(who, 'workflow:edit', body.groupId)
      requireScriptRight(body, who)
      await requireSeenCalendar(db, body.schedule, visibleScope(who.grants, 'calendar:view'))
      const { workflowId } = await commands.createWorkflow(body, mayRun(who), scope, caller)
      return one(workflowId, scope, who)
    },
    validateWorkflow: async ({ query, body, who, caller, yaml }) => {
      const scope = visibleScope(who.grants, 'workflow:edit')
      const workflowId = query.workflowId ?? null
      if (workflowId !== null) await db.read((tx) => livingRow(tx, WORKFLOW, workflowId, scope))
      const asked = { workflowId, input: body, serverZone, mayRun: mayRun(who) }
      const problems = await workflowProblems(db, asked, { scope, now: now(), caller })
      return { problems: yaml === null ? problems : yaml.located(problems) }
    },
    updateWorkflow: async ({ params, body, scope, who, caller }) => {
      requireWhereSeen(who, 'workflow:edit', body.groupId)
      requireScriptRight(body, who)
      await requireSeenCalendar(db, body.schedule, visibleScope(who.grants, 'calendar:view'))
      await commands.updateWorkflow(params.id, body, mayRun(who), scope, caller)
      return one(params.id, scope, who)
    },
    deleteWorkflow: async ({ params, query, scope, caller }) => {
      await commands.deleteWorkflow(params.id, { cancelRunning: query.cancelRunning ?? false }, scope, caller)
      return null
    },
    startWorkflow: async ({ params, scope, who, caller }) => {
      await commands.startWorkflow(params.id, scope, caller)
      return one(params.id, scope, who)
    },
    stopWorkflow: async ({ params, query, scope, who, caller }) => {
      await commands.stopWorkflow(params.id, { cancelRunning: query.cancelRunning ?? false }, scope, caller)
      return one(params.id, scope, who)
    },
    triggerWorkflow: async ({ params, body, scope, who, caller, idempotencyKey }) => {
      if (body.params !== undefined) requireAlso(who, 'workflow:runWithParams', await locate('workflow', params.id))
      return commands.triggerWorkflow(params.id, body, idempotencyKey, scope, caller)
    },
    nextWorkflowFirings: async ({ params, query, scope }) =>
      nextFirings(parts, { kind: WORKFLOW, id: params.id, scope, count: query.count ?? 10 }),
    listWorkflowFirings: async ({ params, query, scope }) => listFirings(db, scope, { taskId: params.id, kind: WORKFLOW, ...query }),
    whyWorkflow: async ({ params, query, scope }) =>
      whyAt(db, scope, { taskId: params.id, kind: WORKFLOW, at: parseInstant(query.at) ?? now(), now: now() }),
    listWorkflowVersions: async ({ params, query, scope }) =>
      listWorkflowVersions(db, scope, { workflowId: params.id, versions, ...pageOf(query) }),
    getWorkflowVersion: async ({ params, scope, who, wantsYaml }) => {
      const { saved, groupName } = await getWorkflowVersion(db, scope, {
        workflowId: params.id,
        version: params.version,
        mayViewParams: mayIn(who, 'workflow:viewParams'),
      })
      return wantsYaml ? sendsYaml({ ...saved.definition, groupName, version: saved.version }) : saved
    },
    restoreWorkflowVersion: async ({ params, scope, who, caller }) => {
      await requireScriptRightOf(parts, { workflowId: params.id, version: params.version, scope, who })
      await commands.restoreWorkflowVersion(params.id, params.version, mayRun(who), scope, caller)
      return one(params.id, scope, who)
    },
  }
}

/** Where somebody may run what a workflow of theirs refers to. */
function mayRun({ grants }: SignedUser): RunRights {
  return {
    tasks: visibleScope(grants, 'task:run'),
    workflows: visibleScope(grants, 'workflow:run'),
    secrets: visibleScope(grants, 'secret:view'),
  }
}

/** Who may save a shell command or a script has a shell on the executors, in a step as in a task. */
function requireScriptRight({ steps, groupId }: Pick<WorkflowCreate, 'steps' | 'groupId'>, who: SignedUser): void {
  if (inlineTasksOf({ steps }).some(({ inline }) => isScript(inline.handler))) requireWhereSeen(who, 'task:editScript', groupId)
}

function isScript({ kind }: StepHandler): boolean {
  return kind === 'shell' || kind === 'script'
}

/** An old version may have a script that the present one has no more. */
async function requireScriptRightOf(
  { db }: WorkflowParts,
  { workflowId, version, scope, who }: { workflowId: number; version: number; scope: Scope; who: SignedUser },
): Promise<void> {
  const { saved, groupId } = await getWorkflowVersion(db, scope, { workflowId, version, mayViewParams: () => true })
  requireScriptRight({ steps: saved.definition.steps, groupId }, who)
}
