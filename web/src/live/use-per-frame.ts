import { onScopeDispose } from 'vue'

/** Frames rest while a page is behind another tab: what has come is then taken this often. */
const AT_LATEST_MS = 500

/**
 * Gathers what live events bring and gives it to `take` once a frame of the screen, in the order in which it came: a hundred events in a moment draw a
 * list once. What was not taken when the component ends is dropped.
 */
export function usePerFrame<Item>(take: (items: readonly Item[]) => void): (items: readonly Item[]) => void {
  let waiting: Item[] = []
  let frame = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function flush(): void {
    stop()
    const items = waiting
    waiting = []
    take(items)
  }

  function stop(): void {
    cancelAnimationFrame(frame)
    clearTimeout(timer)
    timer = undefined
  }
  onScopeDispose(stop)

  return (items) => {
    for (const item of items) waiting.push(item)
    if (timer !== undefined || waiting.length === 0) return
    frame = requestAnimationFrame(flush)
    timer = setTimeout(flush, AT_LATEST_MS)
  }
}
