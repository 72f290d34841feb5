import type { SearchHit } from '@tickwheel/contract'
import { SEARCH_LIMITS } from '@tickwheel/contract'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { search } from '../../api/search.ts'
import { currentLocale } from '../../locales/i18n.ts'
import { usePreferences } from '../../store/preferences.ts'
import { useSession } from '../../store/session.ts'
import { choiceOf } from './hit-place.ts'
import { actionEntries, pageEntries, recentEntries } from './palette-entries.ts'
import { chosenFrom, grouped, type Choice } from './palette-entry.ts'
import { visitsOf } from './recent-visits.ts'

/** Somebody is still typing. */
const PAUSE_MS = 120
const RECENT_SHOWN = 6

/** What the palette offers for what is typed: what is at hand at once, what the server finds a moment later. */
export function usePalette(done: () => void, showKeys: () => void) {
  const route = useRoute()
  const router = useRouter()
  const session = useSession()
  const preferences = usePreferences()
  const wanted = ref('')
  const hits = shallowRef<readonly SearchHit[]>([])
  const isBusy = ref(false)
  const failure = shallowRef<unknown>(null)
  /** the key of the entry that Enter chooses */
  const activeKey = ref<string | null>(null)
  /** Enter came before anything was found */
  let isMeantFirst = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let latest = 0

  const atHand = computed(() => [
    ...recentEntries(session.user === null ? [] : visitsOf(session.user.id), route.path),
    ...pageEntries(router.options.routes, session.may),
    ...actionEntries({
      theme: preferences.theme,
      locale: currentLocale(),
      chooseTheme: (theme) => (preferences.theme = theme),
      chooseLocale: (locale) => void preferences.chooseLocale(locale),
      showKeys,
      signOut: () => void session.signOut(),
    }),
  ])
  const isAsked = computed(() => wanted.value.trim() !== '')
  const groups = computed(() => {
    const found = isAsked.value ? hits.value.map((hit) => choiceOf(hit, wanted.value)) : []
    const known = new Set(found.map(({ to }) => to))
    const own = chosenFrom(atHand.value, wanted.value).filter(({ section, to }) => section !== 'recent' || to === undefined || !known.has(to))
    const recent = own.filter(({ section }) => section === 'recent').slice(0, RECENT_SHOWN)
    return grouped([...recent, ...own.filter(({ section }) => section !== 'recent'), ...found], isAsked.value)
  })
  const choices = computed(() => groups.value.flatMap((group) => group.choices))
  const active = computed(() => choices.value.find(({ key }) => key === activeKey.value) ?? choices.value[0] ?? null)

  watch(wanted, (text) => {
    clearTimeout(timer)
    latest += 1
    activeKey.value = null
    isMeantFirst = false
    failure.value = null
    isBusy.value = text.trim() !== ''
    if (isBusy.value) timer = setTimeout(() => void find(text.trim().slice(0, SEARCH_LIMITS.queryLength)), PAUSE_MS)
    else hits.value = []
  })
  onScopeDispose(() => {
    clearTimeout(timer)
    latest += 1
  })

  async function find(text: string): Promise<void> {
    const mine = latest
    const answer = await search(text).catch((refusal: unknown) => {
      if (mine === latest) failure.value = refusal
      return { items: [] }
    })
    if (mine !== latest) return
    hits.value = answer.items
    isBusy.value = false
    if (isMeantFirst && active.value !== null) choose(active.value)
  }

  /** Steps through the entries, around the ends. */
  function move(by: number): void {
    const all = choices.value
    if (all.length === 0) return
    const at = all.findIndex(({ key }) => key === active.value?.key)
    activeKey.value = all[(at + by + all.length) % all.length]?.key ?? null
  }

  function choose(choice: Choice): void {
    done()
    if (choice.to !== undefined) void router.push(choice.to)
    else if (choice.href !== undefined) window.open(choice.href, '_blank', 'noopener')
    else choice.run?.()
  }

  function chooseActive(): void {
    if (active.value !== null) choose(active.value)
    else isMeantFirst = isBusy.value
  }

  return { wanted, groups, choices, active, activeKey, isAsked, isBusy, failure, move, choose, chooseActive }
}
