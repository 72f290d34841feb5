import { ref, shallowRef, watch, type Ref } from 'vue'
import { toProblem } from '../api/problem.ts'
import { fieldErrors, problemWords } from '../locales/problem-words.ts'
import { t, type MessageKey } from '../locales/text.ts'
import { useDrawerGuard } from './use-drawer-guard.ts'

export interface FormDrawer<Thing, Saved> {
  readonly isOpen: Ref<boolean>
  /** what has been typed, as plain data: whether something would be lost is seen by comparing it */
  readonly draft: () => unknown
  /** fills the form with a thing; null: with what something new begins as */
  readonly fill: (thing: Thing | null) => void
  /** what is wrong before it is sent, by field; nothing: it is sent */
  readonly check: (old: Thing | null) => Record<string, string>
  readonly send: (old: Thing | null) => Promise<Saved>
  /** it was saved, and the drawer is closed */
  readonly done: (saved: Saved, old: Thing | null) => void
  /** the thing as somebody else has saved it meanwhile; undefined: it is gone */
  readonly newest: (old: Thing) => Promise<Thing | undefined>
  /** what is said then */
  readonly stale: MessageKey
  /** the fields that say themselves what the server has against them; absent: all do */
  readonly fields?: readonly string[]
  /** what a refusal says about a field without naming it */
  readonly alsoWrong?: (code: string, words: string) => Record<string, string>
}

/** A form in a drawer that makes something new or changes what is there: it checks, sends, shows a refusal at its field, and is not left with changes unasked. */
export function useFormDrawer<Thing, Saved>(drawer: FormDrawer<Thing, Saved>) {
  /** as it was when the drawer opened, or as somebody else has saved it since; null: it is new */
  const edited = shallowRef<Thing | null>(null)
  const wrong = ref<Record<string, string>>({})
  const refusal = ref('')
  const isBusy = ref(false)
  const { begin, close } = useDrawerGuard({ ...drawer, isBusy })

  function show(thing: Thing | null): void {
    edited.value = thing
    drawer.fill(thing)
    wrong.value = {}
    refusal.value = ''
    begin()
  }

  async function save(): Promise<void> {
    const old = edited.value
    wrong.value = drawer.check(old)
    refusal.value = ''
    if (Object.keys(wrong.value).length > 0) return
    isBusy.value = true
    try {
      const saved = await drawer.send(old)
      drawer.isOpen.value = false
      drawer.done(saved, old)
    } catch (failure) {
      await refused(failure)
    } finally {
      isBusy.value = false
    }
  }

  async function refused(failure: unknown): Promise<void> {
    const problem = toProblem(failure)
    wrong.value = { ...fieldErrors(problem), ...drawer.alsoWrong?.(problem.code, problemWords(problem)) }
    const paths = Object.keys(wrong.value)
    if (paths.length === 0) refusal.value = problemWords(problem)
    else if (drawer.fields !== undefined && !paths.some((path) => drawer.fields?.includes(path))) refusal.value = Object.values(wrong.value).join(' ')
    if (problem.code !== 'STALE_VERSION' || edited.value === null) return
    const newest = await drawer.newest(edited.value)
    if (newest === undefined) return
    show(newest)
    refusal.value = t(drawer.stale)
  }

  return { edited, wrong, refusal, isBusy, show, save, close }
}

/** What the server has refused holds until it is changed: forgets it then. */
export function forgetWhenChanged<Form extends object>(form: Form, wrong: Ref<Record<string, string>>, fields: readonly (keyof Form & string)[]): void {
  for (const field of fields)
    watch(() => form[field], () => {
      delete wrong.value[field]
    })
}
