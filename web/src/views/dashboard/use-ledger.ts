import { fetchCompleteness, listFindings, listRecoveries } from '../../api/completeness.ts'
import { useCall } from '../../api/use-call.ts'
import { usePoll } from '../../components/use-poll.ts'

/** The reckoner is half a minute behind anyway. */
const EVERY_MS = 15_000

/** What became of everything that was due, what was found wrong, and what was made of outages. */
export function useLedger() {
  const { data, failure, isFirst, load } = useCall(async () => {
    const [completeness, findings, recoveries] = await Promise.all([fetchCompleteness(), listFindings(), listRecoveries()])
    return { completeness, findings, recoveries: recoveries.items }
  })
  usePoll(load, EVERY_MS)
  return { data, failure, isFirst, load }
}
