import { ElMessage } from 'element-plus'
import { ref } from 'vue'
import { problemWords } from '../../locales/problem-words.ts'
import { t, type MessageKey } from '../../locales/text.ts'
import { isMeant } from '../ask.ts'

export interface RestoreNames {
  readonly name: string
  readonly version: number
  readonly current: number
}

export interface Restore<Thing> {
  readonly restore: (version: number) => Promise<Thing>
  readonly done: (thing: Thing) => void
  /** what is asked first, and what is said then */
  readonly title: MessageKey
  readonly text: MessageKey
  readonly restored: MessageKey
}

/** Puts an earlier version back when a person means it, and says so. */
export function useRestore<Thing>({ restore, done, title, text, restored }: Restore<Thing>) {
  const isRestoring = ref(false)

  async function putBack(names: RestoreNames): Promise<void> {
    const of = { ...names }
    if (!(await isMeant({ title: t(title, of), text: t(text, of), confirm: t('tasks.versions.restore') }))) return
    isRestoring.value = true
    try {
      const thing = await restore(names.version)
      ElMessage.success(t(restored, of))
      done(thing)
    } catch (refused) {
      ElMessage.error(problemWords(refused))
    } finally {
      isRestoring.value = false
    }
  }

  return { isRestoring, putBack }
}
