import { computed, ref, shallowRef, watch } from 'vue'
import { DOCUMENT_LIMITS, type ApplyAnswer, type FieldProblem } from '@tickwheel/contract'
import { applyDocument, compareDocument } from '../../api/documents.ts'
import { toProblem } from '../../api/problem.ts'
import { lineOf } from './plan-rows.ts'

/** A document on its way into the store: written or chosen, compared, applied as it was shown. A change of the text takes the comparison back. */
export function useImport() {
  const text = ref('')
  const fileName = ref('')
  const shown = shallowRef<ApplyAnswer | null>(null)
  const applied = shallowRef<ApplyAnswer | null>(null)
  /** why the text could not be compared or applied, but for what is said of its fields */
  const failure = shallowRef<unknown>(null)
  const refused = shallowRef<readonly FieldProblem[]>([])
  const busy = ref<'compare' | 'apply' | null>(null)

  const problems = computed(() => [...(shown.value?.problems ?? refused.value)].sort((one, other) => (lineOf(one) ?? 0) - (lineOf(other) ?? 0)))
  const isTooLong = computed(() => new Blob([text.value]).size > DOCUMENT_LIMITS.bytes)
  /** what is about to be written; 0: nothing, or it cannot be */
  const toWrite = computed(() => (shown.value === null || shown.value.plan === null ? 0 : shown.value.counts.create + shown.value.counts.change))

  watch(text, forget)

  function forget(): void {
    shown.value = null
    applied.value = null
    failure.value = null
    refused.value = []
  }

  async function take(work: 'compare' | 'apply', call: () => Promise<ApplyAnswer>): Promise<ApplyAnswer | null> {
    const sent = text.value
    busy.value = work
    try {
      const answer = await call()
      return sent === text.value ? answer : null
    } catch (reason) {
      if (sent !== text.value) return null
      forget()
      const { errors } = toProblem(reason)
      refused.value = errors
      failure.value = errors.length > 0 && work === 'compare' ? null : reason
      return null
    } finally {
      busy.value = null
    }
  }

  async function compare(): Promise<void> {
    forget()
    shown.value = await take('compare', () => compareDocument(text.value))
  }

  async function apply(): Promise<boolean> {
    const plan = shown.value?.plan
    if (plan == null) return false
    const done = await take('apply', () => applyDocument(text.value, plan))
    if (done === null) return false
    shown.value = null
    applied.value = done
    return true
  }

  async function read(file: File): Promise<void> {
    fileName.value = file.name
    text.value = await file.text()
  }

  return { text, fileName, shown, applied, failure, problems, busy, isTooLong, toWrite, compare, apply, read }
}
