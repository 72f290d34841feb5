import type { Instance } from '@tickwheel/contract'
import { watch } from 'vue'
import { listShards } from '../../api/instances.ts'
import { useCall } from '../../api/use-call.ts'
import { isEnded } from '../../components/run-state.ts'
import { usePoll } from '../../components/use-poll.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'

const AGAIN_MS = 2000

/** The page of shards that the address asks for; read again while some of them can still move. */
export function useShards(run: () => Instance) {
  const { query, change } = useUrlQuery(['shards', 'page', 'size'])
  const page = useCall(() => listShards(run().id, { page: Number(query.value.page ?? 1), pageSize: Number(query.value.size ?? 50), ...(query.value.shards === undefined ? {} : { state: query.value.shards }) }))
  watch(() => [run().id, run().state, query.value.shards, query.value.page, query.value.size].join(), () => void page.load())
  usePoll(async () => {
    if (page.data.value === null || !isEnded(run().state)) await page.load()
  }, AGAIN_MS)
  return { ...page, query, change }
}
