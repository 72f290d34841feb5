import { ElMessage } from 'element-plus'
import { h } from 'vue'
import { useRouter } from 'vue-router'
import { toProblem } from '../../api/problem.ts'
import { deleteWorkflow, startWorkflow, stopWorkflow, triggerWorkflow } from '../../api/workflows.ts'
import { isMeant } from '../../components/ask.ts'
import { workflowRunLink } from '../../components/run-link.ts'
import { problemWords } from '../../locales/problem-words.ts'
import { t } from '../../locales/text.ts'

export interface NamedWorkflow {
  readonly id: number
  readonly name: string
  readonly groupName: string
  readonly openRuns?: number
}

/** What can be done with one workflow from the list or its page: each tells its result and answers whether it was done. */
export function useWorkflowActions() {
  const router = useRouter()

  const toggle = (workflow: NamedWorkflow, enable: boolean) => attempt(async () => void (await (enable ? startWorkflow(workflow.id) : stopWorkflow(workflow.id))))

  const run = (workflow: NamedWorkflow) =>
    attempt(async () => {
      const { workflowRunId } = await triggerWorkflow(workflow.id)
      // a message stands outside the app: RouterLink would not find its router there
      const to = workflowRunLink(workflowRunId)
      const open = (event: MouseEvent) => {
        event.preventDefault()
        void router.push(to)
      }
      ElMessage.success({ message: h('span', [t('workflows.started', { name: workflow.name }), ' ', h('a', { href: router.resolve(to).href, onClick: open }, t('workflows.openRun'))]), duration: 5_000 })
    })

  async function remove(workflow: NamedWorkflow): Promise<boolean> {
    const isOpen = (workflow.openRuns ?? 0) > 0
    const text = t('workflows.deleteText', { name: workflow.name, group: workflow.groupName })
    const question = { title: t('workflows.deleteTitle', { name: workflow.name }), isDestructive: true }
    const about = t('workflows.deleteOpen', { name: workflow.name })
    if (!(await isMeant({ ...question, text: isOpen ? `${text} ${about}` : text, confirm: t(isOpen ? 'workflows.deleteOpenConfirm' : 'workflows.deleteConfirm') }))) return false
    return attempt(async () => {
      const hasOpenRuns = await deleteWorkflow(workflow.id, isOpen).then(() => false, isAboutOpenRuns)
      if (hasOpenRuns) {
        if (!(await isMeant({ ...question, text: about, confirm: t('workflows.deleteOpenConfirm') }))) return
        await deleteWorkflow(workflow.id, true)
      }
      ElMessage.success(t('workflows.deleted', { name: workflow.name }))
    })
  }

  return { toggle, run, remove, edit: (id: number) => router.push({ name: 'workflow-edit', params: { id } }), copy: (id: number) => router.push({ name: 'workflow-new', query: { from: id } }) }
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
  if (toProblem(failure).code !== 'WORKFLOW_HAS_OPEN_RUNS') throw failure
  return true
}
