import type { Executor } from '@tickwheel/contract'
import { ElMessage } from 'element-plus'
import { deleteExecutor, drainExecutor, resumeExecutor } from '../../api/executors.ts'
import { isMeant } from '../../components/ask.ts'
import { problemWords } from '../../locales/problem-words.ts'
import { t } from '../../locales/text.ts'

interface Changes {
  readonly replace: (executor: Executor) => void
  readonly remove: (id: number) => void
}

/** Drain, resume, forget. */
export function useExecutorActions({ replace, remove }: Changes) {
  async function drain(executor: Executor): Promise<void> {
    const text = executor.inFlight === 0 ? t('executors.drainIdle') : t('executors.drainText', { n: executor.inFlight })
    if (await isMeant({ title: t('executors.drainTitle', { name: executor.name }), text, confirm: t('executors.drain') })) await attempt(async () => replace(await drainExecutor(executor.id)), t('executors.drained', { name: executor.name }))
  }

  async function resume(executor: Executor): Promise<void> {
    await attempt(async () => replace(await resumeExecutor(executor.id)), t('executors.resumed', { name: executor.name }))
  }

  async function forget(executor: Executor): Promise<void> {
    const names = { name: executor.name, group: executor.groupName }
    if (!(await isMeant({ title: t('executors.forgetTitle', names), text: t('executors.forgetText', names), confirm: t('executors.forget'), isDestructive: true }))) return
    await attempt(async () => {
      await deleteExecutor(executor.id)
      remove(executor.id)
    }, t('executors.forgotten', names))
  }

  return { drain, resume, forget }
}

async function attempt(work: () => Promise<void>, done: string): Promise<void> {
  try {
    await work()
    ElMessage.success(done)
  } catch (failure) {
    ElMessage.error(problemWords(failure))
  }
}
