import type { Task, TaskDefinition } from '@tickwheel/contract'
import { computed, reactive, ref, shallowRef } from 'vue'
import { toProblem } from '../../api/problem.ts'
import { createTask, getTask, updateTask } from '../../api/tasks.ts'
import { fieldErrors, problemWords } from '../../locales/problem-words.ts'
import { t } from '../../locales/text.ts'
import { checkForm } from './check-form.ts'
import { bodyOf, emptyForm, formOf, type TaskForm } from './task-form.ts'

export type Source = { kind: 'new'; groupId: number | null } | { kind: 'copy'; id: number } | { kind: 'edit'; id: number }

/** The form of one task: read, held, compared with what is saved, and sent. */
export function useEditor() {
  const form = reactive(emptyForm(null))
  const task = shallowRef<Task | null>(null)
  const isReady = ref(false)
  const failure = shallowRef<unknown>(null)
  /** a first try was made: from then on what is missing shows while typing */
  const wasTried = ref(false)
  /** what the server refused, each with the part of the form that it was about */
  const refused = ref<readonly Refused[]>([])
  const errors = computed<Record<string, string>>(() => ({
    ...Object.fromEntries(refused.value.filter((one) => one.part === partOf(form, one.path)).map((one) => [one.path, one.words])),
    ...(wasTried.value ? checkForm(form) : {}),
  }))
  const refusal = ref('')
  const busy = ref<'save' | 'start' | null>(null)
  /** what somebody else saved while this form was open */
  const newer = shallowRef<Task | null>(null)
  const saved = ref('')
  const isDirty = computed(() => isReady.value && JSON.stringify(form) !== saved.value)
  const isPartHidden = computed(() => (task.value?.hidden?.length ?? 0) > 0)

  async function open(source: Source): Promise<void> {
    isReady.value = false
    failure.value = null
    try {
      if (source.kind === 'new') show(emptyForm(source.groupId), null)
      else {
        const found = await getTask(source.id)
        if (source.kind === 'edit') show(formOf(definitionOf(found), found.groupId), found)
        else show({ ...formOf(definitionOf(found), found.groupId), name: t('editor.copyOf', { name: found.name }) }, null)
      }
      isReady.value = true
    } catch (failed) {
      failure.value = failed
    }
  }

  function show(next: TaskForm, of: Task | null): void {
    Object.assign(form, next)
    task.value = of
    saved.value = JSON.stringify(form)
    wasTried.value = false
    refused.value = []
    refusal.value = ''
    newer.value = null
  }

  /** Sends the form; answers with the task when it was saved. */
  async function save(how: 'save' | 'start'): Promise<Task | null> {
    wasTried.value = true
    refused.value = []
    refusal.value = ''
    if (Object.keys(errors.value).length > 0 || form.groupId === null) return null
    busy.value = how
    try {
      const body = bodyOf(form, form.groupId, how === 'start' || task.value?.enabled === true)
      const answer = task.value === null ? await createTask(body) : await updateTask(task.value.id, { ...body, version: task.value.version })
      show(formOf(definitionOf(answer), answer.groupId), answer)
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
    refused.value = Object.entries(fieldErrors(problem)).map(([path, words]) => ({ path, words, part: partOf(form, path) }))
    if (problem.code === 'STALE_VERSION' && task.value !== null) newer.value = await getTask(task.value.id).catch(() => null)
    if (newer.value === null && problem.errors.length === 0) refusal.value = problemWords(problem)
  }

  /** Goes on with this form on top of what the other one saved. */
  function keepMine(): void {
    if (newer.value !== null) task.value = newer.value
    newer.value = null
  }

  function takeTheirs(): void {
    if (newer.value !== null) show(formOf(definitionOf(newer.value), newer.value.groupId), newer.value)
  }

  return { form, task, isReady, failure, errors, refusal, busy, newer, isDirty, isPartHidden, open, save, keepMine, takeTheirs }
}

interface Refused {
  readonly path: string
  readonly words: string
  /** as it was when it was refused: once it is changed, the words no longer hold */
  readonly part: string
}

function partOf(form: TaskForm, path: string): string {
  const top = path.split('.')[0] ?? ''
  return JSON.stringify(Object.entries(form).find(([name]) => name === top)?.[1] ?? null)
}

/** The definition inside a task, for filling the form and for comparing. */
export function definitionOf(task: Task): TaskDefinition {
  const { name, description, notes, owner, tags, schedule, handler, routing, sharding, labels, routingKey, overlap, misfire, timeoutMs, killGraceMs, retry, priority, concurrency, queueTimeoutMs, onLost, pauseAfterFailures } = task
  return { name, description, notes, owner, tags, schedule, handler, params: task.params ?? '', routing, ...(sharding === undefined ? {} : { sharding }), labels, routingKey, overlap, misfire, timeoutMs, killGraceMs, retry, priority, concurrency, queueTimeoutMs, onLost, pauseAfterFailures }
}
