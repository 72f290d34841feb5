import { computed, ref, shallowRef } from 'vue'

const PAGE_SIZE = 50

interface Page<Item> {
  readonly items: readonly Item[]
  readonly total: number
}

/** The saved versions of something, newest first, read page by page, and the one that is looked at: the one before the newest at first. */
export function useVersions<Item extends { readonly version: number }>(list: (id: number, query: { page: number; pageSize: number }) => Promise<Page<Item>>) {
  const items = shallowRef<readonly Item[]>([])
  const total = ref(0)
  const failure = shallowRef<unknown>(null)
  const isBusy = ref(false)
  const newest = computed(() => items.value[0] ?? null)
  const chosen = ref<number | null>(null)
  const shown = computed(() => items.value.find(({ version }) => version === chosen.value) ?? null)
  let id = 0

  async function open(of: number): Promise<void> {
    id = of
    items.value = []
    total.value = 0
    chosen.value = null
    await more()
    chosen.value = (items.value[1] ?? items.value[0])?.version ?? null
  }

  async function more(): Promise<void> {
    isBusy.value = true
    failure.value = null
    try {
      const answer = await list(id, { page: Math.floor(items.value.length / PAGE_SIZE) + 1, pageSize: PAGE_SIZE })
      items.value = [...items.value, ...answer.items]
      total.value = answer.total
    } catch (refused) {
      failure.value = refused
    } finally {
      isBusy.value = false
    }
  }

  return { items, total, newest, failure, isBusy, chosen, shown, open, more }
}
