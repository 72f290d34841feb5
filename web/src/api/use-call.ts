import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue'

export interface Call<Data> {
  readonly data: ShallowRef<Data | null>
  /** why the last try failed; the data of an earlier one stays */
  readonly failure: ShallowRef<unknown>
  /** nothing to show yet, and nothing has failed: the place of a skeleton */
  readonly isFirst: ComputedRef<boolean>
  readonly isBusy: ShallowRef<boolean>
  readonly load: () => Promise<void>
}

/** Holds what a read gives. Of two reads under way only the later one counts, so that a slow answer never overwrites a newer one. */
export function useCall<Data>(fetch: () => Promise<Data>): Call<Data> {
  const data = shallowRef<Data | null>(null)
  const failure = shallowRef<unknown>(null)
  const isBusy = shallowRef(false)
  let latest = 0

  async function load(): Promise<void> {
    latest += 1
    const mine = latest
    isBusy.value = true
    try {
      const answer = await fetch()
      if (mine !== latest) return
      data.value = answer
      failure.value = null
    } catch (refusal) {
      if (mine === latest) failure.value = refusal
    } finally {
      if (mine === latest) isBusy.value = false
    }
  }

  return { data, failure, isBusy, load, isFirst: computed(() => data.value === null && failure.value === null) }
}
