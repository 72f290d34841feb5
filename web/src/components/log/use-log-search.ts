import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import type { LogRows } from './log-rows.ts'
import { LogSearch } from './log-search.ts'
import type { LogStore } from './log-store.ts'

const TYPING_MS = 150
const READ_PAUSE_MS = 50
const FAILED_PAUSE_MS = 3_000

interface Sources {
  readonly store: Readonly<Ref<LogStore>>
  readonly rows: Readonly<Ref<LogRows>>
  readonly version: Readonly<Ref<number>>
  readonly restore: (entry: number) => Promise<void>
  /** the entry at the top of what is seen: where a new search begins */
  readonly seen: () => number
  readonly show: (entry: number) => void
}

/** A search that runs beside the page: a piece at a time, on through lines that arrive, and through texts that must be read again. */
export function useLogSearch({ store, rows, version, restore, seen, show }: Sources) {
  const text = ref('')
  const needle = ref('')
  const hits = ref(0)
  const isSearching = ref(false)
  const isCapped = ref(false)
  /** place among the hits, from 0; -1: none yet */
  const place = ref(-1)
  /** the entry looked at */
  const current = ref(-1)
  const search = shallowRef<LogSearch | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let typing: ReturnType<typeof setTimeout> | undefined
  let isWorking = false

  watch(text, (value) => {
    clearTimeout(typing)
    typing = setTimeout(() => (needle.value = value.toLowerCase()), TYPING_MS)
  })
  watch([needle, rows], () => {
    const shown = rows.value
    search.value = needle.value === '' ? null : new LogSearch(store.value, needle.value, (entry) => shown.passes(entry))
    hits.value = 0
    isCapped.value = false
    place.value = -1
    current.value = -1
    void work()
  })
  watch(version, () => void work())
  onScopeDispose(() => {
    clearTimeout(timer)
    clearTimeout(typing)
  })

  async function work(): Promise<void> {
    const mine = search.value
    if (mine === null || mine.isDone() || isWorking) return
    isWorking = true
    isSearching.value = true
    const wanted = mine.step()
    const pauseMs = wanted === null ? 0 : await restore(wanted).then(() => READ_PAUSE_MS, () => FAILED_PAUSE_MS)
    isWorking = false
    // another search has begun while texts were read
    if (search.value !== mine) return void work()
    hits.value = mine.hits.length
    isCapped.value = mine.isCapped
    if (place.value === -1 && mine.hits.length > 0 && (mine.isDone() || (mine.hits.at(-1) ?? 0) >= seen())) goTo(mine.from(seen()))
    isSearching.value = !mine.isDone()
    if (isSearching.value) timer = setTimeout(() => void work(), pauseMs)
  }

  function goTo(at: number): void {
    const entry = search.value?.hits[at]
    if (entry === undefined) return
    place.value = at
    current.value = entry
    show(entry)
  }

  function next(): void {
    if (hits.value > 0) goTo((place.value + 1) % hits.value)
  }

  function previous(): void {
    if (hits.value > 0) goTo((place.value - 1 + hits.value) % hits.value)
  }

  return { text, needle, hits, isSearching, isCapped, place, current, next, previous }
}
