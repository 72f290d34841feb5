import type { TaskListItem } from '@tickwheel/contract'
import { computed, ref } from 'vue'
import { startTask, stopTask, triggerTask } from '../../api/tasks.ts'
import { problemWords } from '../../locales/problem-words.ts'

export type BulkAction = 'start' | 'stop' | 'run'

export interface BulkItem {
  readonly id: number
  readonly name: string
  readonly groupName: string
  state: 'waiting' | 'busy' | 'done' | 'failed'
  /** why it failed */
  words: string
  /** the run that was started */
  runId: number | null
}

const AT_ONCE = 4

/** One action for many tasks: a few at a time, each with its own result. */
export function useBulk() {
  const action = ref<BulkAction>('start')
  const items = ref<BulkItem[]>([])
  const done = computed(() => items.value.filter((item) => item.state === 'done').length)
  const failed = computed(() => items.value.filter((item) => item.state === 'failed').length)
  const isBusy = computed(() => done.value + failed.value < items.value.length)

  async function start(chosen: BulkAction, tasks: readonly TaskListItem[]): Promise<void> {
    action.value = chosen
    items.value = tasks.map(({ id, name, groupName }) => ({ id, name, groupName, state: 'waiting', words: '', runId: null }))
    const queue = items.value.values()
    await Promise.all(Array.from({ length: AT_ONCE }, () => work(queue, chosen)))
  }

  return { action, items, done, failed, isBusy, start }
}

async function work(queue: Iterator<BulkItem> & Iterable<BulkItem>, action: BulkAction): Promise<void> {
  for (const item of queue) {
    item.state = 'busy'
    try {
      item.runId = await perform(action, item.id)
      item.state = 'done'
    } catch (failure) {
      item.words = problemWords(failure)
      item.state = 'failed'
    }
  }
}

async function perform(action: BulkAction, id: number): Promise<number | null> {
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
