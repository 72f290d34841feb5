import { computed, ref } from 'vue'
import { problemWords } from '../../locales/problem-words.ts'

export interface BulkSubject {
  readonly id: number
  readonly name: string
  readonly groupName: string
}

export interface BulkItem extends BulkSubject {
  state: 'waiting' | 'busy' | 'done' | 'failed'
  /** why it failed */
  words: string
  /** the run that came of it */
  runId: number | null
}

const AT_ONCE = 4

/** One action for many things: a few at a time, each with its own result. `perform` answers with the run that came of it, if one did. */
export function useBulk<Action extends string>(first: Action, perform: (action: Action, id: number) => Promise<number | null>) {
  const action = ref<Action>(first)
  const items = ref<BulkItem[]>([])
  const done = computed(() => items.value.filter((item) => item.state === 'done').length)
  const failed = computed(() => items.value.filter((item) => item.state === 'failed').length)
  const isBusy = computed(() => done.value + failed.value < items.value.length)

  async function start(chosen: Action, subjects: readonly BulkSubject[]): Promise<void> {
    Object.assign(action, { value: chosen })
    items.value = subjects.map(({ id, name, groupName }) => ({ id, name, groupName, state: 'waiting', words: '', runId: null }))
    const queue = items.value.values()
    await Promise.all(Array.from({ length: AT_ONCE }, () => work(queue, chosen)))
  }

  async function work(queue: Iterable<BulkItem>, chosen: Action): Promise<void> {
    for (const item of queue) {
      item.state = 'busy'
      try {
        item.runId = await perform(chosen, item.id)
        item.state = 'done'
      } catch (failure) {
        item.words = problemWords(failure)
        item.state = 'failed'
      }
    }
  }

  return { action, items, done, failed, isBusy, start }
}
