import type { WorkflowRun } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import type { Commands } from '../../engine/commands.ts'
import type { WorkflowRunReader } from '../../store/workflow-run-views.ts'
import type { SignedUser } from '../../auth/signed-user.ts'
import type { HandlersOf } from '../handlers.ts'
import { mayIn } from '../may-also.ts'

export interface WorkflowRunParts {
  readonly reader: WorkflowRunReader
  readonly commands: Commands
}

type WorkflowRunCalls =
  | 'listWorkflowRuns'
  | 'getWorkflowRun'
  | 'workflowGrid'
  | 'getStep'
  | 'listStepItems'
  | 'cancelWorkflowRun'
  | 'pauseWorkflowRun'
  | 'resumeWorkflowRun'
  | 'retryWorkflowRun'
  | 'approveStep'
  | 'rejectStep'
  | 'completeStep'

export function workflowRunHandlers({ reader, commands }: WorkflowRunParts): HandlersOf<WorkflowRunCalls> {
  const one = async (workflowRunId: number, scope: Scope, who: SignedUser): Promise<WorkflowRun> =>
    reader.get(scope, workflowRunId, mayIn(who, 'workflow:viewParams'))
  return {
    listWorkflowRuns: async ({ query, scope }) => reader.list(scope, query),
    getWorkflowRun: async ({ params, scope, who }) => one(params.id, scope, who),
    workflowGrid: async ({ params, query, scope }) => reader.grid(scope, params.id, query.count ?? 20),
    getStep: async ({ params, scope, who }) =>
      reader.step(scope, { workflowRunId: params.id, key: params.key, mayViewParams: mayIn(who, 'workflow:viewParams') }),
    listStepItems: async ({ params, query, scope }) => reader.items(scope, { workflowRunId: params.id, key: params.key, ...query }),
    cancelWorkflowRun: async ({ params, scope, who, caller }) => {
      await commands.cancelWorkflowRun(params.id, scope, caller)
      return one(params.id, scope, who)
    },
    pauseWorkflowRun: async ({ params, scope, who, caller }) => {
      await commands.pauseWorkflowRun(params.id, scope, caller)
      return one(params.id, scope, who)
    },
    resumeWorkflowRun: async ({ params, scope, who, caller }) => {
      await commands.resumeWorkflowRun(params.id, scope, caller)
      return one(params.id, scope, who)
    },
    retryWorkflowRun: async ({ params, body, scope, caller, idempotencyKey }) =>
      commands.retryWorkflowRun(params.id, body, idempotencyKey, scope, caller),
    approveStep: async ({ params, body, scope, who, caller }) => {
      await commands.decideStep(params.id, params.key, { decision: 'approved', comment: body.comment ?? '' }, scope, caller)
      return one(params.id, scope, who)
    },
    rejectStep: async ({ params, body, scope, who, caller }) => {
      await commands.decideStep(params.id, params.key, { decision: 'rejected', comment: body.comment ?? '' }, scope, caller)
      return one(params.id, scope, who)
    },
    completeStep: async ({ params, body, scope, who, caller }) => {
      await commands.completeStep(params.id, params.key, body, scope, caller)
      return one(params.id, scope, who)
    },
  }
}
