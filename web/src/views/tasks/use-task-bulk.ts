import { startTask, stopTask, triggerTask } from '../../api/tasks.ts'
import { useBulk } from '../../components/bulk/use-bulk.ts'

export type TaskBulkAction = 'start' | 'stop' | 'run'

/** Starts, stops or runs many tasks. */
export function useTaskBulk() {
  return useBulk<TaskBulkAction>('start', perform)
}

async function perform(action: TaskBulkAction, id: number): Promise<number | null> {
  switch (action) {
    case 'start':
      await startTask(id)
      return null
    case 'stop':
      await stopTask(id)
      return null
    case 'run':
      return (await triggerTask(id)).instanceId
  }
}
