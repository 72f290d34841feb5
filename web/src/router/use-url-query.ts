import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'

type Values<Name extends string> = Readonly<Record<Name, string | undefined>>

export interface UrlQuery<Name extends string> {
  /** what the address says now; an empty value counts as none */
  readonly query: ComputedRef<Values<Name>>
  /** Changes some values and keeps the others. Anything but `page` goes back to the first page. */
  readonly change: (values: Partial<Record<Name, string | number | boolean | undefined>>) => void
  readonly clear: () => void
}

/** Filters, tab and page live in the address: they survive reload and the back button, and can be sent to a colleague. */
export function useUrlQuery<const Name extends string>(names: readonly Name[]): UrlQuery<Name> {
  const route = useRoute()
  const router = useRouter()

  const query = computed(() => {
    const values: Partial<Record<Name, string>> = {}
    for (const name of names) {
      const value = route.query[name]
      if (typeof value === 'string' && value !== '') values[name] = value
    }
    return values as Values<Name>
  })

  function change(values: Partial<Record<Name, string | number | boolean | undefined>>): void {
    const next: LocationQueryRaw = { ...route.query }
    if (!('page' in values)) delete next['page']
    for (const [name, value] of Object.entries<string | number | boolean | undefined>(values)) {
      if (value === undefined || value === '') delete next[name]
      else next[name] = String(value)
    }
    void router.replace({ query: next, hash: route.hash })
  }

  return { query, change, clear: () => void router.replace({ query: {} }) }
}
