import { completeness, listFindings } from '../../store/completeness.ts'
import type { Database } from '../../store/database.ts'
import { listRecoveries } from '../../store/recovery.ts'
import type { HandlersOf } from '../handlers.ts'

/** Reports of one answer. */
const RECOVERIES = 20

export interface CompletenessParts {
  readonly db: Database
  /** cluster time, epoch ms */
  readonly now: () => number
}

export function completenessHandlers({ db, now }: CompletenessParts): HandlersOf<'getCompleteness' | 'listFindings' | 'listRecoveries'> {
  return {
    getCompleteness: async ({ query, scope }) => completeness(db, scope, { ...query, now: now() }),
    listFindings: async ({ query, scope }) => {
      const { items, isCut } = await listFindings(db, scope, { ...query, now: now() })
      return { items, total: items.length, ...(isCut ? { totalCapped: true } : {}), page: 1, pageSize: Math.max(1, items.length) }
    },
    listRecoveries: async ({ scope }) => {
      const items = await listRecoveries(db, scope, RECOVERIES)
      return { items, total: items.length, page: 1, pageSize: RECOVERIES }
    },
  }
}
