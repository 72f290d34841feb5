import { ATTEMPT_SEQ } from '../../store/log-page.ts'
import type { LogStore } from '../../store/logs.ts'

/** How many lines of an attempt's log are stored. */
export async function storedLines(logs: LogStore, instanceId: number, attempt: number): Promise<number> {
  let next = attempt * ATTEMPT_SEQ
  for (;;) {
    const page = await logs.read(instanceId, { after: next, limit: 1000, ended: false })
    if (page.next === next || page.lines.length === 0) return Math.floor(next / ATTEMPT_SEQ) === attempt ? next % ATTEMPT_SEQ : 0
    next = page.next
  }
}
