import { watch } from 'vue'
import { listStepItems } from '../../api/workflow-runs.ts'
import { useCall } from '../../api/use-call.ts'
import { usePoll } from '../../components/use-poll.ts'
import { useUrlQuery } from '../../router/use-url-query.ts'

const AGAIN_MS = 2000

/** The page of a fan-out's children that the address asks for; read again while some of them can still move. */
export function useItems(runId: () => number, stepKey: () => string, isOpen: () => boolean) {
  const { query, change } = useUrlQuery(['items', 'page', 'size'])
  const page = useCall(() => listStepItems(runId(), stepKey(), { page: Number(query.value.page ?? 1), pageSize: Number(query.value.size ?? 20), ...(query.value.items === undefined ? {} : { state: query.value.items }) }))
  watch(() => [runId(), stepKey(), isOpen(), query.value.items, query.value.page, query.value.size].join(), () => void page.load())
  usePoll(async () => {
    if (page.data.value === null || isOpen()) await page.load()
  }, AGAIN_MS)
  return { ...page, query, change }
}
