import type { Workflow } from '@tickwheel/contract'
import { computed, ref, shallowRef } from 'vue'
import { toProblem } from '../../api/problem.ts'
import { createWorkflow, getWorkflow, updateWorkflow } from '../../api/workflows.ts'
import { problemWords } from '../../locales/problem-words.ts'
import { t } from '../../locales/text.ts'
import { placesOf } from './auto-layout.ts'
import { checkDraft } from './check-draft.ts'
import { bodyOf, definitionOf, draftOf, emptyDraft, type WorkflowDraft } from './draft.ts'
import { begin, record, redo, settle, undo } from './history.ts'
import { placeOf, type PlacedProblem, type Problem } from './problem-places.ts'
import { NOTHING, type Selection } from './selection.ts'

export type Source = { kind: 'new'; groupId: number | null } | { kind: 'copy'; id: number } | { kind: 'edit'; id: number }

/** What the server refused, with what it was about: once that has changed, the words no longer hold. */
interface Refused {
  readonly problem: Problem
  readonly part: string
}

/** One workflow in the editor: read, drawn, taken back, compared with what is saved, and sent. */
export function useWorkflowEditor() {
  const workflow = shallowRef<Workflow | null>(null)
  const history = shallowRef(begin(emptyDraft(null)))
  const draft = computed(() => history.value.present)
  const selection = shallowRef<Selection>(NOTHING)
  const isReady = ref(false)
  const failure = shallowRef<unknown>(null)
  const saved = ref('')
  const busy = ref<'save' | 'start' | null>(null)
  const refusal = ref('')
  const refused = shallowRef<readonly Refused[]>([])
  /** a first try was made: what is only missing shows from then on */
  const wasTried = ref(false)
  /** what somebody else saved while this was open */
  const newer = shallowRef<Workflow | null>(null)

  const isDirty = computed(() => isReady.value && fingerprint(draft.value) !== saved.value)
  const isPartHidden = computed(() => (workflow.value?.hidden?.length ?? 0) > 0)
  const found = computed(() => checkDraft(draft.value))
  const problems = computed<readonly PlacedProblem[]>(() => {
    const own = wasTried.value ? found.value : found.value.filter((problem) => !EARLY.includes(problem.path))
    const theirs = refused.value.filter(({ problem, part }) => partOf(draft.value, problem.path) === part).map(({ problem }) => problem)
    return [...own, ...theirs.filter((problem) => !own.some((one) => one.path === problem.path))].map((problem) => ({ problem, place: placeOf(problem, draft.value) }))
  })

  async function open(source: Source): Promise<void> {
    isReady.value = false
    failure.value = null
    try {
      if (source.kind === 'new') show(emptyDraft(source.groupId), null)
      else {
        const read = await getWorkflow(source.id)
        const opened = draftOf(read, read.groupId)
        if (source.kind === 'edit') show(opened, read)
        else show({ ...opened, name: t('workflows.editor.copyOf', { name: read.name }) }, null)
      }
      isReady.value = true
    } catch (failed) {
      failure.value = failed
    }
  }

  function show(opened: WorkflowDraft, of: Workflow | null): void {
    const next = withPlaces(opened)
    history.value = begin(next)
    workflow.value = of
    selection.value = NOTHING
    forgetRefusals(next)
  }

  function forgetRefusals(next: WorkflowDraft): void {
    saved.value = fingerprint(next)
    wasTried.value = false
    refused.value = []
    refusal.value = ''
    newer.value = null
  }

  /** Where there is only one group to choose it is no change of a person's. */
  function chooseGroup(groupId: number | null): void {
    const wasClean = !isDirty.value
    history.value = { ...history.value, present: { ...draft.value, groupId } }
    if (wasClean) saved.value = fingerprint(draft.value)
  }

  /** `about`: changes one after the other about the same thing are one step back. */
  function change(next: WorkflowDraft, about: string | null = null): void {
    history.value = record(history.value, withPlaces(next), about)
  }

  function select(next: Selection): void {
    selection.value = next
    history.value = settle(history.value)
  }

  function step(move: typeof undo): void {
    history.value = move(history.value)
    selection.value = stillThere(selection.value, draft.value)
  }

  /** Sends it; answers with the workflow when it was saved. What it shows stays, so that steps back still work. */
  async function save(how: 'save' | 'start'): Promise<Workflow | null> {
    wasTried.value = true
    refused.value = []
    refusal.value = ''
    if (found.value.length > 0 || draft.value.groupId === null) return null
    busy.value = how
    const sent = draft.value
    try {
      const body = bodyOf(sent, draft.value.groupId, how === 'start' || workflow.value?.enabled === true)
      const answer = workflow.value === null ? await createWorkflow(body) : await updateWorkflow(workflow.value.id, { ...body, version: workflow.value.version })
      workflow.value = answer
      forgetRefusals(sent)
      return answer
    } catch (failed) {
      await explain(failed)
      return null
    } finally {
      busy.value = null
    }
  }

  async function explain(failed: unknown): Promise<void> {
    const problem = toProblem(failed)
    refused.value = problem.errors.map((one) => ({ problem: one, part: partOf(draft.value, one.path) }))
    if (problem.code === 'STALE_VERSION' && workflow.value !== null) newer.value = await getWorkflow(workflow.value.id).catch(() => null)
    if (newer.value === null && problem.errors.length === 0) refusal.value = problemWords(problem)
  }

  /** Goes on with this drawing on top of what the other one saved. */
  function keepMine(): void {
    if (newer.value !== null) workflow.value = newer.value
    newer.value = null
  }

  function takeTheirs(): void {
    if (newer.value !== null) show(draftOf(newer.value, newer.value.groupId), newer.value)
  }

  return {
    workflow, draft, selection, isReady, failure, busy, refusal, newer, isDirty, isPartHidden, problems, canUndo: computed(() => history.value.past.length > 0), canRedo: computed(() => history.value.future.length > 0),
    open, chooseGroup, change, select, undo: () => step(undo), redo: () => step(redo), save, keepMine, takeTheirs,
  }
}

/** Every step of a draft has a place: what comes without one is arranged once, and stays there. */
function withPlaces(draft: WorkflowDraft): WorkflowDraft {
  const layout = placesOf(draft.steps, draft.edges, draft.layout)
  return layout === draft.layout ? draft : { ...draft, layout }
}

/** missing at the beginning, and no news */
const EARLY: readonly string[] = ['name', 'groupId', 'steps', 'schedule.expression', 'schedule.at']

function fingerprint(draft: WorkflowDraft): string {
  return JSON.stringify([draft.groupId, definitionOf(draft)])
}

function partOf(draft: WorkflowDraft, path: string): string {
  const [top = '', place = ''] = path.split('.')
  const whole: unknown = Object.entries(draft).find(([name]) => name === top)?.[1] ?? null
  return JSON.stringify(Array.isArray(whole) && place !== '' ? (whole[Number(place)] ?? null) : whole)
}

function stillThere({ steps, edges }: Selection, draft: WorkflowDraft): Selection {
  const keys = new Set(draft.steps.map((step) => step.key))
  return { steps: new Set([...steps].filter((key) => keys.has(key))), edges: new Set([...edges].filter((index) => index < draft.edges.length)) }
}
