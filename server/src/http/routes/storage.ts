import type { StorageAnswer } from '@tickwheel/contract'
import type { Config } from '../../config/schema.ts'
import type { Database } from '../../store/database.ts'
import type { LogStore } from '../../store/logs.ts'
import { instantText } from '../../store/page.ts'
import { storage } from '../../store/storage.ts'
import type { HandlersOf } from '../handlers.ts'

/** It looks at many tables: whoever asks meanwhile gets what was found. */
const MEASURE_EVERY_MS = 30_000

export function storageHandlers({
  db,
  logs,
  retention,
  now,
}: {
  db: Database
  logs: LogStore
  retention: Config['retention']
  /** cluster time, epoch ms */
  now: () => number
}): HandlersOf<'getStorage'> {
  let measured: { readonly at: number; readonly answer: Promise<StorageAnswer> } | null = null
  const measure = async (at: number): Promise<StorageAnswer> => ({
    store: db.dialect.keepsLogs ? 'mysql' : 'sqlite',
    measuredAt: instantText(at),
    logs: await logs.size(),
    retention: { ...retention },
    ...(await storage(db, at)),
  })
  return {
    getStorage: async () => {
      const at = now()
      if (measured !== null && at - measured.at < MEASURE_EVERY_MS && at >= measured.at) return measured.answer
      const answer = measure(at)
      measured = { at, answer }
      answer.catch(() => {
        measured = null
      })
      return answer
    },
  }
}
