import { onScopeDispose, shallowRef, watchEffect, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { rememberVisit, VISITED_PAGES } from '../components/palette/recent-visits.ts'
import { useSession } from '../store/session.ts'

/** What a page is about. `before`: a word in front of its name, such as a state. */
export interface PageThing {
  readonly id: number
  readonly name: string
  readonly before?: string
}

const shown = shallowRef<PageThing | null>(null)

/** What the page is about, for the title of the window. Null: nothing of its own, or it has not been read yet. */
export const pageThing: Readonly<Ref<PageThing | null>> = shown

/** Says what the page is about, for as long as it is open: the window is named after it, and the command palette offers it again. */
export function usePageTitle(thing: () => PageThing | null): void {
  const router = useRouter()
  const session = useSession()
  const opened = useRoute().name
  const page = VISITED_PAGES.find((name) => name === opened)
  let own: PageThing | null = null
  watchEffect(() => {
    own = thing()
    shown.value = own
    if (own === null || page === undefined || session.user === null) return
    rememberVisit(session.user.id, { page, path: router.resolve({ name: page, params: { id: own.id } }).path, name: own.name })
  })
  onScopeDispose(() => {
    if (shown.value === own) shown.value = null
  })
}
