import type { Database } from '../store/database.ts'
import { floorOfInstant } from '../store/ids.ts'
import type { LogStore } from '../store/logs.ts'
import {
  ALL_OUTCOMES,
  FAILURES,
  groupsWithEndedRuns,
  PRUNE_BATCH,
  pruneAudit,
  pruneBackfills,
  pruneBulks,
  pruneCounters,
  pruneDeliveries,
  pruneFirings,
  pruneFoldedHours,
  pruneIncidentRuns,
  pruneIncidents,
  pruneRequestKeys,
  pruneRuns,
  pruneSessions,
  pruneSkips,
  pruneStarts,
  pruneTokens,
  pruneTracks,
} from '../store/prune.ts'
import { notePruned } from '../store/storage.ts'
import { pruneWires } from '../store/wires.ts'

/** How long things are kept, in days. `ledgerDays`: firings, folded hours, skips and backfills; a firing is kept at least as long as any run may be. */
export interface Retention {
  readonly runsDays: number
  readonly failuresDays: number
  readonly logsDays: number
  readonly auditDays: number
  readonly ledgerDays: number
}

export const RETENTION: Retention = { runsDays: 30, failuresDays: 90, logsDays: 30, auditDays: 365, ledgerDays: 365 }

const DAY_MS = 86_400_000
const REQUEST_KEYS_MS = DAY_MS
const SESSIONS_MS = DAY_MS
/** so long a token that is no good any more is listed */
const DEAD_TOKENS_MS = 90 * DAY_MS
const COUNTERS_DAYS = 400
/** the dashboard shows seven */
const STARTS_DAYS = 35
const DELIVERIES_DAYS = 30
const BULKS_DAYS = 30
/** as long as what is usual of a task may be of interest that runs seldom */
const TRACKS_DAYS = 400
/** After everything has been looked at, the next round waits so long. */
const ROUND_EVERY_MS = 600_000

/** One kind of thing to forget; true: there is more of it. */
type Chore = (now: number) => Promise<boolean>

/**
 * Retention: forgets what is older than its keep, a batch of 500 rows a step, so that no transaction is long and none holds up a firing. The caller
 * pauses between steps. A round looks at every kind once, then rests for ten minutes.
 */
export class Pruner {
  readonly #db: Database
  readonly #logs: LogStore
  readonly #retention: Retention
  #chores: Chore[] = []
  #restUntil = -Infinity

  constructor({ db, logs, retention = {} }: { readonly db: Database; readonly logs: LogStore; readonly retention?: Partial<Retention> }) {
    this.#db = db
    this.#logs = logs
    this.#retention = { ...RETENTION, ...retention }
  }

  /** Does a bounded piece of work; true: there is more to do now. */
  async step(now: number): Promise<boolean> {
    if (this.#chores.length === 0) {
      if (now < this.#restUntil) return false
      this.#chores = await this.#round()
      this.#restUntil = now + ROUND_EVERY_MS
    }
    const [chore] = this.#chores
    if (chore === undefined) return false
    if (!(await chore(now))) this.#chores.shift()
    return this.#chores.length > 0
  }

  async #round(): Promise<Chore[]> {
    const groups = await groupsWithEndedRuns(this.#db)
    return [...groups.flatMap((groupId) => ALL_OUTCOMES.map((outcome) => this.#runs(groupId, outcome))), ...this.#others()]
  }

  #runs(groupId: number, outcome: number): Chore {
    const { failuresDays, runsDays } = this.#retention
    const days = FAILURES.has(outcome) ? Math.max(failuresDays, runsDays) : runsDays
    return async (now) => (await pruneRuns(this.#db, { groupId, outcome, beforeId: floorOfInstant(now - days * DAY_MS) })) === PRUNE_BATCH
  }

  #others(): Chore[] {
    const db = this.#db
    const { runsDays, failuresDays, logsDays, auditDays, ledgerDays } = this.#retention
    const ledgerMs = Math.max(ledgerDays, runsDays, failuresDays) * DAY_MS
    const incidentsMs = Math.max(runsDays, failuresDays) * DAY_MS
    let skipsAfter = 0
    return [
      async (now) => (await pruneFirings(db, now - ledgerMs)) === PRUNE_BATCH,
      async (now) => (await pruneFoldedHours(db, now - ledgerMs)) === PRUNE_BATCH,
      async (now) => {
        const { next } = await pruneSkips(db, now - ledgerMs, skipsAfter)
        skipsAfter = next ?? 0
        return next !== null
      },
      async (now) => (await pruneAudit(db, floorOfInstant(now - auditDays * DAY_MS), now - auditDays * DAY_MS)) === PRUNE_BATCH,
      async (now) => pruneBackfills(db, now - ledgerMs),
      async (now) => pruneBulks(db, now - BULKS_DAYS * DAY_MS),
      async (now) => (await pruneRequestKeys(db, now - REQUEST_KEYS_MS)) === PRUNE_BATCH,
      async (now) => (await pruneWires(db, now - Math.max(runsDays, failuresDays) * DAY_MS)) === PRUNE_BATCH,
      async (now) => (await pruneSessions(db, now - SESSIONS_MS)) === PRUNE_BATCH,
      async (now) => (await pruneTokens(db, now - DEAD_TOKENS_MS)) === PRUNE_BATCH,
      async (now) => (await pruneStarts(db, now - STARTS_DAYS * DAY_MS)) === PRUNE_BATCH,
      async (now) => (await pruneCounters(db, now - COUNTERS_DAYS * DAY_MS)) === PRUNE_BATCH,
      // the runs first: without its incident nobody finds them
      async (now) => (await pruneIncidentRuns(db, floorOfInstant(now - incidentsMs))) === PRUNE_BATCH,
      async (now) => (await pruneIncidents(db, floorOfInstant(now - incidentsMs))) === PRUNE_BATCH,
      async (now) => (await pruneDeliveries(db, floorOfInstant(now - DELIVERIES_DAYS * DAY_MS))) === PRUNE_BATCH,
      async (now) => (await pruneTracks(db, now - TRACKS_DAYS * DAY_MS)) === PRUNE_BATCH,
      async (now) => this.#logs.prune(floorOfInstant(now - logsDays * DAY_MS)),
      async () => (await db.compact?.()) ?? false,
      async (now) => {
        await notePruned(db, now)
        return false
      },
    ]
  }
}
