import type { WorkflowDefinition } from '@tickwheel/contract'
import { computed, shallowRef, watch } from 'vue'
import { getWorkflowVersion, listWorkflowVersions, restoreWorkflowVersion } from '../../api/workflows.ts'
import type { FieldChange } from '../../components/versions/diff.ts'
import { useVersions } from '../../components/versions/use-versions.ts'

/** The saved versions of a workflow, newest first, and the chosen one against the newest. */
export function useWorkflowVersions() {
  const versions = useVersions(listWorkflowVersions)
  const { chosen, failure } = versions
  const pair = shallowRef<{ readonly then: WorkflowDefinition; readonly now: WorkflowDefinition } | null>(null)
  const newest = computed(() => versions.newest.value?.version ?? 0)
  const change = shallowRef<FieldChange | null>(null)
  /** also in where the steps are drawn */
  const isSame = computed(() => pair.value === null || JSON.stringify(pair.value.then) === JSON.stringify(pair.value.now))
  let workflowId = 0

  async function open(id: number): Promise<void> {
    workflowId = id
    await versions.open(id)
  }

  watch(chosen, async (version) => {
    pair.value = null
    change.value = null
    if (version === null) return
    try {
      // lists show the drawer too: what reads and writes YAML is fetched when it is needed
      const [then, now, { yamlChange }] = await Promise.all([getWorkflowVersion(workflowId, version), getWorkflowVersion(workflowId, newest.value), import('../workflow-editor/yaml-change.ts')])
      if (chosen.value !== version) return
      change.value = yamlChange(then.definition, now.definition)
      pair.value = { then: then.definition, now: now.definition }
    } catch (refused) {
      failure.value = refused
    }
  })

  return { ...versions, newest, change, isSame, open, restore: (version: number) => restoreWorkflowVersion(workflowId, version) }
}
