import { onScopeDispose } from 'vue'

/** Does `work` at once, and again `everyMs` after each end, for as long as the component lives. Rests while the page is behind another tab; back in front it does not wait. */
export function usePoll(work: () => Promise<void>, everyMs: number): void {
  const life = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isBusy = false
  const mayTurn = () => !life.signal.aborted && document.visibilityState === 'visible'

  async function turn(): Promise<void> {
    clearTimeout(timer)
    if (isBusy || !mayTurn()) return
    isBusy = true
    await work().finally(() => (isBusy = false))
    if (mayTurn()) timer = setTimeout(() => void turn(), everyMs)
  }

  document.addEventListener('visibilitychange', () => void turn(), { signal: life.signal })
  onScopeDispose(() => {
    life.abort()
    clearTimeout(timer)
  })
  void turn()
}
