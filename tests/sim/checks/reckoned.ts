import { Reckoner } from '../../../server/src/engine/reckoner.ts'
import type { Database } from '../../../server/src/store/database.ts'
import { RunIds } from '../../../server/src/store/ids.ts'
import type { ReckonerRow } from '../../../server/src/store/schema.ts'

/** Long enough after the last firing that nothing is too young to be reckoned. */
const LATER_MS = 600_000
const MOST_STEPS = 500

interface Unsettled {
  id: number
  last_due_at: number
  settled_at: number | null
}

/** When everything is over, the reckoner has come to the end of every chain, has counted each firing once, and has found nothing. */
export async function reckonedFaults(db: Database, now: number): Promise<string[]> {
  const at = now + LATER_MS
  const reckoner = new Reckoner({ db, clock: { monotonic: () => at }, ids: new RunIds(db, () => at), onIncomplete: () => undefined })
  let steps = 0
  while (steps < MOST_STEPS && (await reckoner.step(at))) steps += 1
  return db.read(async (tx) => {
    const findings = await tx.all('SELECT * FROM finding')
    const open = await tx.all<Unsettled>(
      'SELECT s.id, s.last_due_at, r.settled_at FROM series s LEFT JOIN reckoned r ON r.series_id = s.id WHERE r.settled_at IS NULL OR r.settled_at <> s.last_due_at',
    )
    const uncounted = await tx.all('SELECT * FROM skip WHERE `count` IS NULL')
    const [row] = await tx.all<ReckonerRow>('SELECT * FROM reckoner')
    const [ledger] = await tx.all<{ fired: number; skipped: number }>(
      'SELECT (SELECT COUNT(*) FROM firing) AS fired, (SELECT COALESCE(SUM(`count`), 0) FROM skip) AS skipped',
    )
    return [
      ...findings.map((finding) => `reckoner: found ${JSON.stringify(finding)}`),
      ...open.map((one) => `reckoner: stopped before the end of ${JSON.stringify(one)}`),
      ...uncounted.map((skip) => `reckoner: did not count ${JSON.stringify(skip)}`),
      ...(row?.fired === ledger?.fired && row?.skipped === ledger?.skipped
        ? []
        : [`reckoner: counted ${row?.fired} fired and ${row?.skipped} skipped of ${ledger?.fired} and ${ledger?.skipped}`]),
      ...(steps < MOST_STEPS ? [] : ['reckoner: does not come to an end']),
    ]
  })
}
