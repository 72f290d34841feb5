import type { LogLine } from '@tickwheel/contract'
import { onScopeDispose, shallowRef, watch } from 'vue'
import { readLogs } from '../../api/instances.ts'
import { useLive } from '../../live/use-live.ts'
import { LogStore } from './log-store.ts'

/**
 * Fills a store with the log of a run: the live topic sends what is stored, from the first line, and goes on with what is printed. After a break it
 * goes on behind the last line that is here. What arrives is put in once for each frame of the screen, however many messages that are.
 */
export function useLog(runId: () => number, isAllowed: () => boolean) {
  const store = shallowRef(new LogStore())
  /** moves when the store has more lines or texts */
  const version = shallowRef(0)
  /** lines that the server still has to read from the store for us; 0: up to date */
  const behind = shallowRef(0)
  /** the run has ended and every line of it is here */
  const isComplete = shallowRef(false)
  /** the code with which the server refused or ended the topic */
  const refusal = shallowRef<string | null>(null)
  let waiting: LogLine[] = []
  let behindTo = 0
  let frame = 0
  const reading = new Set<number>()

  watch(runId, clear)

  function clear(): void {
    store.value = new LogStore()
    waiting = []
    behindTo = 0
    behind.value = 0
    refusal.value = null
    isComplete.value = false
    reading.clear()
    version.value += 1
  }

  function receive(data: unknown): void {
    if (!isLines(data)) return
    for (const line of data.lines) waiting.push(line)
    if (data.end === true) isComplete.value = true
    if (frame === 0) frame = requestAnimationFrame(flush)
  }

  function flush(): void {
    frame = 0
    store.value.append(waiting)
    waiting = []
    behind.value = Math.max(0, behindTo - store.value.lastSeq)
    version.value += 1
  }

  useLive(() => (isAllowed() ? `instance:${runId()}:logs` : null), ({ data }) => receive(data), {
    after: () => waiting.at(-1)?.seq ?? store.value.lastSeq,
    onBehind: ({ to }) => {
      behindTo = to
      behind.value = Math.max(0, to - store.value.lastSeq)
    },
    onClosed: (code) => (refusal.value = code),
  })
  // a page in the background gets no frames
  const timer = setInterval(() => document.hidden && waiting.length > 0 && flush(), 1_000)
  onScopeDispose(() => {
    clearInterval(timer)
    cancelAnimationFrame(frame)
  })

  /** Reads the texts of an entry's block again when they were given up. */
  async function restore(entry: number): Promise<void> {
    const held = store.value
    const missing = held.missing(entry)
    if (missing === null || reading.has(missing.block)) return
    reading.add(missing.block)
    try {
      held.restore(missing.block, (await readLogs(runId(), missing.after, missing.limit)).lines)
      version.value += 1
    } finally {
      reading.delete(missing.block)
    }
  }

  return { store, version, behind, isComplete, refusal, restore }
}

function isLines(data: unknown): data is { lines: LogLine[]; end?: boolean } {
  return typeof data === 'object' && data !== null && 'lines' in data && Array.isArray(data.lines)
}
