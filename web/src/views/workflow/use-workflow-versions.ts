import type { WorkflowDefinition } from '@tickwheel/contract'
import { computed, ref, shallowRef } from 'vue'
import { getWorkflowVersion, listWorkflowVersions, restoreWorkflowVersion, type WorkflowVersionItem } from '../../api/workflows.ts'
import type { FieldChange } from '../../components/versions/diff.ts'

const PAGE_SIZE = 50

/** The saved versions of a workflow, newest first, and the chosen one against the newest. */
export function useWorkflowVersions() {
  const items = shallowRef<readonly WorkflowVersionItem[]>([])
  const total = ref(0)
  const failure = shallowRef<unknown>(null)
  const isBusy = ref(false)
  const chosen = ref<number | null>(null)
  const pair = shallowRef<{ readonly then: WorkflowDefinition; readonly now: WorkflowDefinition } | null>(null)
  const newest = computed(() => items.value[0]?.version ?? 0)
  const change = shallowRef<FieldChange | null>(null)
  /** also in where the steps are drawn */
  const isSame = computed(() => pair.value === null || JSON.stringify(pair.value.then) === JSON.stringify(pair.value.now))
  let workflowId = 0

  async function open(id: number): Promise<void> {
    workflowId = id
    items.value = []
    total.value = 0
    chosen.value = null
    pair.value = null
    await more()
    const first = items.value[1] ?? items.value[0]
    if (first !== undefined) await choose(first.version)
  }

  async function more(): Promise<void> {
    isBusy.value = true
    failure.value = null
    try {
      const answer = await listWorkflowVersions(workflowId, { page: Math.floor(items.value.length / PAGE_SIZE) + 1, pageSize: PAGE_SIZE })
      items.value = [...items.value, ...answer.items]
      total.value = answer.total
    } catch (refused) {
      failure.value = refused
    } finally {
      isBusy.value = false
    }
  }

  async function choose(version: number): Promise<void> {
    chosen.value = version
    pair.value = null
    change.value = null
    try {
      // lists show the drawer too: what reads and writes YAML is fetched when it is needed
      const [then, now, { yamlChange }] = await Promise.all([getWorkflowVersion(workflowId, version), getWorkflowVersion(workflowId, newest.value), import('../workflow-editor/yaml-change.ts')])
      if (chosen.value !== version) return
      change.value = yamlChange(then.definition, now.definition)
      pair.value = { then: then.definition, now: now.definition }
    } catch (refused) {
      failure.value = refused
    }
  }

  return { items, total, newest, failure, isBusy, chosen, change, isSame, open, more, choose, restore: (version: number) => restoreWorkflowVersion(workflowId, version) }
}
