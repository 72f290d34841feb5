import { onBeforeUnmount, type Ref } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'
import { t } from '../locales/text.ts'
import { isMeant } from './ask.ts'

export interface LeaveQuestion {
  readonly title: string
  readonly text: string
}

/** A page with a form: another page, by a link or the back button, is asked about while something would be lost, and so is closing the tab. */
export function useLeaveGuard(isDirty: Readonly<Ref<boolean>>, question: () => LeaveQuestion): void {
  const warn = (event: BeforeUnloadEvent): void => {
    if (isDirty.value) event.preventDefault()
  }
  window.addEventListener('beforeunload', warn)
  onBeforeUnmount(() => window.removeEventListener('beforeunload', warn))
  onBeforeRouteLeave(async (to) => {
    if (!isDirty.value || to.name === 'login') return true
    return isMeant({ ...question(), confirm: t('actions.discard'), cancel: t('actions.stay') })
  })
}

/** Ctrl+S and Cmd+S save what the page shows instead of the page itself. */
export function useSaveKey(save: () => void): void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 's' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    save()
  }
  window.addEventListener('keydown', onKey)
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey))
}
