import { TASK_DEFAULTS, type WorkflowDefinition } from '@tickwheel/contract'
import type { Database } from './database.ts'
import { WORKFLOW_KIND, workflowText, type WorkflowRefs } from './workflow-definition.ts'

export interface WorkflowOfTest extends Partial<Omit<WorkflowDefinition, 'steps' | 'edges'>> {
  readonly steps: readonly WorkflowDefinition['steps'][number][]
  readonly edges?: readonly WorkflowDefinition['edges'][number][]
  readonly refs?: Partial<WorkflowRefs>
  readonly savedBy?: number
}

/** The text of a version of a workflow that only says what is of interest to a test. */
export function workflowOf({ refs, savedBy, steps, edges, ...more }: WorkflowOfTest): string {
  const { overlap, misfire, timeoutMs, priority, pauseAfterFailures } = TASK_DEFAULTS
  return workflowText({
    definition: {
      name: 'flow',
      description: '',
      owner: '',
      tags: [],
      schedule: { kind: 'manual' },
      overlap,
      misfire,
      timeoutMs,
      priority,
      pauseAfterFailures,
      stepConcurrency: 0,
      onFailure: 'finish',
      ...more,
      steps: [...steps],
      edges: [...(edges ?? [])],
    },
    refs: { tasks: {}, workflows: {}, ...refs },
    savedBy: savedBy ?? null,
  })
}

/** Makes a task that was just created, and that nothing has read yet, a workflow. */
export async function makeWorkflow(db: Database, taskId: number, workflow: WorkflowOfTest): Promise<void> {
  await db.write('rest', async (tx) => {
    await tx.run('UPDATE task SET handler_kind = ? WHERE id = ?', [WORKFLOW_KIND, taskId])
    await tx.run('UPDATE task_version SET definition = ? WHERE task_id = ?', [workflowOf(workflow), taskId])
  })
}
