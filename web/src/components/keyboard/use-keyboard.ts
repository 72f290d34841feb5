import { onScopeDispose } from 'vue'
import { useRouter } from 'vue-router'
import { mayOpen } from '../../router/page-needs.ts'
import { usePreferences } from '../../store/preferences.ts'
import { useSession } from '../../store/session.ts'
import { keyCommand, type KeyCommand } from './keys.ts'
import { focusFilter, isCovered, isTyping, pressCreate, stepRow } from './page-keys.ts'

/** The second key comes within this time. */
const SECOND_KEY_MS = 1_500
/** Pages whose button that stands out does not make something new: it saves, or it acts on what is shown. */
const NOTHING_NEW: ReadonlySet<string> = new Set(['task', 'task-new', 'task-edit', 'workflow', 'workflow-new', 'workflow-edit', 'run', 'workflow-run', 'account', 'password', 'system', 'dashboard'])
/** Its canvas has letters of its own. */
const OWN_LETTERS: ReadonlySet<string> = new Set(['workflow-new', 'workflow-edit'])

export interface Shown {
  readonly palette: () => void
  readonly help: () => void
}

/** The keys of the whole console, while the frame with the menu is shown. */
export function useKeyboard({ palette, help }: Shown): void {
  const router = useRouter()
  const session = useSession()
  const preferences = usePreferences()
  let beganAt = Number.NEGATIVE_INFINITY

  function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || isCovered()) return
    const hasBegun = event.timeStamp - beganAt < SECOND_KEY_MS
    const command = keyCommand(event, { takesLetters: preferences.hasLetterKeys && !isTyping(event.target) && !OWN_LETTERS.has(pageName()), hasBegun })
    // a key that only shifts is no second key
    if (event.key !== 'Shift') beganAt = command?.kind === 'begin' ? event.timeStamp : Number.NEGATIVE_INFINITY
    if (command !== null && isDone(command)) event.preventDefault()
  }
  window.addEventListener('keydown', onKey)
  onScopeDispose(() => window.removeEventListener('keydown', onKey))

  function isDone(command: KeyCommand): boolean {
    const page = document.getElementById('content')
    switch (command.kind) {
      case 'begin':
        return false
      case 'palette':
        palette()
        return true
      case 'help':
        help()
        return true
      case 'go':
        if (mayOpen(command.page, session.may)) void router.push({ name: command.page })
        return true
      case 'filter':
        return page !== null && focusFilter(page)
      case 'create':
        return create(page)
      case 'next':
      case 'previous':
        if (page !== null) stepRow(page, command.kind === 'next' ? 1 : -1)
        return true
    }
  }

  /** What the page makes; where it makes nothing, a task. */
  function create(page: HTMLElement | null): boolean {
    if (page !== null && !NOTHING_NEW.has(pageName()) && pressCreate(page)) return true
    if (['task-new', 'task-edit'].includes(pageName()) || !mayOpen('task-new', session.may)) return false
    void router.push({ name: 'task-new' })
    return true
  }

  function pageName(): string {
    return String(router.currentRoute.value.name ?? '')
  }
}
