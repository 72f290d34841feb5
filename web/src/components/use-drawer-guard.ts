import { nextTick, onBeforeUnmount, watch, type Ref } from 'vue'
import { useRouter } from 'vue-router'
import { t } from '../locales/text.ts'
import { isMeant } from './ask.ts'

export interface GuardedDrawer {
  readonly isOpen: Ref<boolean>
  /** what has been typed, as plain data: whether something would be lost is seen by comparing it */
  readonly draft: () => unknown
  /** it is being sent: nothing is asked */
  readonly isBusy?: Readonly<Ref<boolean>>
}

/** What was typed into a drawer is not lost unasked: not by closing it, not by going to another page, not by closing the tab. */
export function useDrawerGuard({ isOpen, draft, isBusy }: GuardedDrawer) {
  let untouched = ''
  const isTouched = (): boolean => isOpen.value && isBusy?.value !== true && textOf(draft()) !== untouched

  /** What is in it now is what it was filled with. */
  function begin(): void {
    untouched = textOf(draft())
    // fields that follow others have followed by then
    void nextTick(() => (untouched = textOf(draft())))
  }

  /** By the button, the cross, Escape or a click beside it. */
  async function close(): Promise<void> {
    if (!isTouched() || (await isLossMeant())) isOpen.value = false
  }

  guardPage(isTouched, isOpen)
  return { begin, close }
}

async function isLossMeant(): Promise<boolean> {
  return isMeant({ title: t('actions.closeTitle'), text: t('actions.closeText'), confirm: t('actions.discard'), cancel: t('actions.stay') })
}

/** Another page, by a link or the back button, and closing the tab are asked about, too. */
function guardPage(isTouched: () => boolean, isOpen: Ref<boolean>): void {
  const router = useRouter()
  let off: (() => void) | null = null
  const warn = (event: BeforeUnloadEvent): void => {
    if (isTouched()) event.preventDefault()
  }
  const release = (): void => {
    off?.()
    off = null
    window.removeEventListener('beforeunload', warn)
  }
  const take = (): void => {
    release()
    window.addEventListener('beforeunload', warn)
    off = router.beforeEach(async (to, from) => to.path === from.path || to.name === 'login' || !isTouched() || isLossMeant())
  }
  watch(isOpen, (open) => (open ? take() : release()), { immediate: true })
  onBeforeUnmount(release)
}

/** Sets count by what is in them, in whichever order. */
function textOf(draft: unknown): string {
  return JSON.stringify(draft, (_key, value: unknown) => (value instanceof Set ? [...value].sort() : value))
}
