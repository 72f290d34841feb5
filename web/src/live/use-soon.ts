import { onScopeDispose } from 'vue'

/** Does `work` once, a moment after the first of many calls: for reading again what several events have touched. */
export function useSoon(work: () => void, afterMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  onScopeDispose(() => clearTimeout(timer))
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined
      work()
    }, afterMs)
  }
}
