import type { TaskListItem } from '@tickwheel/contract'
import { ElMessage } from 'element-plus'
import { h } from 'vue'
import { useRouter } from 'vue-router'
import { toProblem } from '../../api/problem.ts'
import { deleteTask, listTaskVersions, startTask, stopTask, triggerTask } from '../../api/tasks.ts'
import { isMeant } from '../../components/ask.ts'
import { problemWords } from '../../locales/problem-words.ts'
import { t } from '../../locales/text.ts'

type Named = Pick<TaskListItem, 'id' | 'name' | 'groupName'>

/** What can be done with one task from a list or its page: each tells its result and answers whether it was done. */
export function useTaskActions() {
  const router = useRouter()

  async function toggle(task: Named, enable: boolean): Promise<boolean> {
    return attempt(async () => void (await (enable ? startTask(task.id) : stopTask(task.id))))
  }

  async function run(task: Named): Promise<boolean> {
    return attempt(async () => {
      const { instanceId } = await triggerTask(task.id)
      // a message stands outside the app: RouterLink would not find its router there
      const to = { name: 'run', params: { id: instanceId } }
      const open = (event: MouseEvent) => {
        event.preventDefault()
        void router.push(to)
      }
      ElMessage.success({ message: h('span', [t('tasks.started', { name: task.name }), ' ', h('a', { href: router.resolve(to).href, onClick: open }, t('tasks.openRun'))]), duration: 5_000 })
    })
  }

  async function remove(task: Named & { openRuns?: number }): Promise<boolean> {
    const { total } = await listTaskVersions(task.id, { pageSize: 1 }).catch(() => ({ total: 1 }))
    const open = task.openRuns ?? 0
    const text = t('tasks.deleteText', { name: task.name, group: task.groupName, n: total })
    const question = { title: t('tasks.deleteTitle', { name: task.name }), text: open > 0 ? `${text} ${t('tasks.deleteOpen', { name: task.name, n: open })}` : text, isDestructive: true }
    if (!(await isMeant({ ...question, confirm: t(open > 0 ? 'tasks.deleteOpenConfirm' : 'tasks.deleteConfirm') }))) return false
    return attempt(async () => {
      const hasOpenRuns = await deleteTask(task.id, open > 0).then(() => false, isAboutOpenRuns)
      if (hasOpenRuns) {
        if (!(await isMeant({ ...question, text: t('tasks.deleteOpenSome', { name: task.name }), confirm: t('tasks.deleteOpenConfirm') }))) return
        await deleteTask(task.id, true)
      }
      ElMessage.success(t('tasks.deleted', { name: task.name }))
    })
  }

  return { toggle, run, remove, edit: (id: number) => router.push({ name: 'task-edit', params: { id } }), copy: (id: number) => router.push({ name: 'task-new', query: { from: id } }) }
}

async function attempt(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (failure) {
    ElMessage.error(problemWords(failure))
    return false
  }
}

/** True for the one refusal that can be answered by canceling; any other is thrown on. */
function isAboutOpenRuns(failure: unknown): true {
  if (toProblem(failure).code !== 'TASK_HAS_OPEN_RUNS') throw failure
  return true
}
