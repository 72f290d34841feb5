import { Type, type Static } from 'typebox'
import { STORAGE_KINDS } from './constants.ts'
import { defineRoute } from './route.ts'
import { Instant, nullable, oneOf, strict } from './shape.ts'

const Count = Type.Integer({ minimum: 0 })

/** `isEstimated`: on MySQL always, as the database knows no better; on SQLite for what is larger than 800 KiB, because counting would take seconds. */
export const StorageTable = strict({
  table: Type.String(),
  kind: oneOf(STORAGE_KINDS),
  rows: Count,
  bytes: Type.Integer({ minimum: 0, description: 'of its rows' }),
  indexBytes: Count,
  isEstimated: Type.Boolean(),
})
export type StorageTable = Static<typeof StorageTable>

const Growth = strict({
  runs: Type.Integer({ minimum: 0, description: 'that have ended' }),
  firings: Type.Integer({ minimum: 0, description: 'due instants, with those that were skipped' }),
})

/** What the store takes, how long things are kept, and how it grew. `prunedAt`: when retention last went through everything; null: not yet. */
export const StorageAnswer = strict({
  store: oneOf(['sqlite', 'mysql']),
  measuredAt: Instant,
  totalBytes: Type.Integer({ minimum: 0, description: 'of the database' }),
  freeBytes: Type.Integer({ minimum: 0, description: 'of these, what deletions have left free' }),
  logs: nullable(
    strict({
      files: Count,
      bytes: Type.Integer({ minimum: 0, description: 'of the files beside the database of this node; null: logs are in the database' }),
    }),
  ),
  tables: Type.Array(StorageTable, { description: 'the largest first' }),
  retention: strict({ runsDays: Count, failuresDays: Count, logsDays: Count, ledgerDays: Count, auditDays: Count }),
  prunedAt: nullable(Instant),
  growth: strict({ day: Growth, week: Growth }),
  history: Type.Array(strict({ at: Instant, bytes: Count, runs: Count }), {
    description: 'what was in use, once a day, of the last 60 days on which retention ran; the oldest first',
  }),
})
export type StorageAnswer = Static<typeof StorageAnswer>

export const storageRoutes = [
  defineRoute({
    id: 'getStorage',
    method: 'GET',
    path: '/storage',
    access: 'system:view',
    budget: 'read',
    tag: 'system',
    summary: 'Rows and bytes by table, retention and growth; measured at most every 30 seconds',
    status: 200,
    answer: StorageAnswer,
  }),
] as const
