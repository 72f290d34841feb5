import type { Calendar } from '@tickwheel/contract'
import { computed, reactive, ref, shallowRef } from 'vue'
import { createCalendar, getCalendar, listPresets, updateCalendar } from '../../api/calendars.ts'
import { toProblem } from '../../api/problem.ts'
import { fieldErrors, problemWords } from '../../locales/problem-words.ts'
import { currentLocale } from '../../locales/i18n.ts'
import { checkForm, emptyForm, formOf, formRules, rulesOf } from './calendar-form.ts'

export type Source = { readonly kind: 'edit'; readonly id: number } | { readonly kind: 'new'; readonly groupId: number | null; readonly preset: string | null }

/** The form of one calendar: read, held, compared with what is saved, and sent. */
export function useCalendarEditor() {
  const form = reactive(emptyForm(null))
  const calendar = shallowRef<Calendar | null>(null)
  const isReady = ref(false)
  const failure = shallowRef<unknown>(null)
  const wasTried = ref(false)
  const refused = shallowRef<Readonly<Record<string, string>>>({})
  const refusal = ref('')
  const isBusy = ref(false)
  /** what somebody else saved while this form was open */
  const newer = shallowRef<Calendar | null>(null)
  const saved = ref('')
  const errors = computed<Record<string, string>>(() => ({ ...refused.value, ...(wasTried.value ? checkForm(form) : {}) }))
  const rules = computed(() => rulesOf(form))
  const isDirty = computed(() => isReady.value && JSON.stringify(form) !== saved.value)
  const areRulesChanged = computed(() => isReady.value && calendar.value !== null && JSON.stringify(rules.value) !== JSON.stringify(rulesOf(formRules(calendar.value.rules))))

  async function open(source: Source): Promise<void> {
    isReady.value = false
    failure.value = null
    try {
      if (source.kind === 'edit') {
        const found = await getCalendar(source.id)
        show(found)
      } else {
        calendar.value = null
        Object.assign(form, emptyForm(source.groupId))
        begin()
        if (source.preset !== null) await startWith(source.preset)
      }
      isReady.value = true
    } catch (failed) {
      failure.value = failed
    }
  }

  async function startWith(id: string): Promise<void> {
    const preset = (await listPresets()).items.find((one) => one.id === id)
    if (preset === undefined) return
    Object.assign(form, { name: preset.title[currentLocale()], ...formRules(preset.rules) })
  }

  function show(found: Calendar): void {
    calendar.value = found
    Object.assign(form, formOf(found))
    begin()
  }

  function begin(): void {
    saved.value = JSON.stringify(form)
    wasTried.value = false
    refused.value = {}
    refusal.value = ''
    newer.value = null
  }

  /** Sends the form; answers with the calendar when it was saved. */
  async function save(): Promise<Calendar | null> {
    wasTried.value = true
    refused.value = {}
    refusal.value = ''
    if (Object.keys(checkForm(form)).length > 0) return null
    isBusy.value = true
    try {
      const body = { name: form.name.trim(), description: form.description, rules: rules.value }
      const of = newer.value ?? calendar.value
      show(of === null ? await createCalendar({ ...body, groupId: form.groupId === 0 ? null : form.groupId }) : await updateCalendar(of.id, { ...body, version: of.version }))
      return calendar.value
    } catch (failed) {
      await explain(failed)
      return null
    } finally {
      isBusy.value = false
    }
  }

  async function explain(failed: unknown): Promise<void> {
    const problem = toProblem(failed)
    refused.value = fieldErrors(problem)
    if (problem.code === 'STALE_VERSION' && calendar.value !== null) newer.value = await getCalendar(calendar.value.id).catch(() => null)
    if (newer.value === null && problem.errors.length === 0) refusal.value = problemWords(problem)
  }

  function takeTheirs(): void {
    if (newer.value !== null) show(newer.value)
  }

  return { form, calendar, rules, isReady, failure, errors, refusal, isBusy, newer, isDirty, areRulesChanged, open, save, show, takeTheirs }
}
