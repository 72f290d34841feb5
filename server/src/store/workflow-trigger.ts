import { AppError } from '@tickwheel/contract'

import { auditPerson } from './audit.ts'
import type { Database } from './database.ts'
import { againWhenTaken, lockRows } from './lock.ts'
import { FLOW_LANE, PARAMS_PAYLOAD } from './run-writes.ts'
import { livingRow, WORKFLOW } from './scheduled-kind.ts'
import type { OpenInstanceRow } from './schema.ts'
import { answered, mustFit, newRun, remember, type Triggered, type TriggerRequest } from './trigger.ts'
import { workflowVersion } from './visible-workflow.ts'
import { startParams } from './workflow-params.ts'

/** `params`: JSON text of an object; null: none are given. */
export type WorkflowTriggerRequest = Omit<TriggerRequest, 'taskId' | 'executorId'> & { readonly workflowId: number }

/**
 * Makes a run of a workflow by hand or by API, outside the ledger. A repeated `keyHash` answers what the first answered. Throws `AppError`: 422 where the
 * params do not fit the schema.
 */
export async function triggerWorkflow(db: Database, request: WorkflowTriggerRequest): Promise<Triggered> {
  return againWhenTaken(() =>
    db.write('rest', async (tx) => {
      const repeated = await answered(tx, request.keyHash)
      if (repeated !== null) return { instanceId: repeated, row: null }
      await lockRows(tx, 'task', [request.workflowId], 'share')
      const workflow = await livingRow(tx, WORKFLOW, request.workflowId, request.scope)
      const definition = await workflowVersion(tx, workflow.id, workflow.version)
      const read = startParams(definition.flow.graph.paramsSchema, request.params ?? '')
      if (read.kind === 'problems')
        throw new AppError('UNPROCESSABLE', 'The params do not fit the schema of the workflow.', {
          errors: read.problems,
        })
      mustFit(request, workflow, definition.overlap)
      const base = newRun({ ...request, taskId: workflow.id, executorId: null }, workflow, definition, 'triggered')
      const row: OpenInstanceRow = { ...base, runs_workflow: 1, lane: FLOW_LANE }
      await tx.insert('open_instance', [row])
      if (read.text !== '{}') await tx.insert('payload', [{ instance_id: row.id, kind: PARAMS_PAYLOAD, body: read.text }])
      await remember(tx, request)
      await auditPerson(tx, request, {
        action: 'workflow:run',
        resource: { kind: 'workflow', id: workflow.id, key: workflow.name },
        groupId: workflow.group_id,
        after: { workflowRunId: row.id, ...(request.params === null ? {} : { params: '(changed)' }) },
      })
      return { instanceId: row.id, row }
    }),
  )
}
