/** Everything that the store says about firings, runs and slots, read by SQL of its own. Instants as epoch ms. */
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise'
import type { Schedule, Span } from './due.ts'

export interface Series {
  readonly id: number
  readonly taskId: number
  readonly slot: number
  readonly nextDueAt: number | null
  readonly awaitsId: number | null
  readonly held: string | null
}
export interface Firing {
  readonly seriesId: number
  readonly dueAt: number
  readonly previousDueAt: number
  readonly instanceId: number
}
export interface Skip {
  readonly seriesId: number
  readonly fromAt: number
  readonly toAt: number
  readonly previousDueAt: number
  readonly count: number | null
  readonly reason: number
}
export interface Run {
  readonly id: number
  readonly taskId: number
  readonly seriesId: number | null
  readonly dueAt: number | null
  readonly createdAt: number
  readonly attempt: number
  /** 1 succeeded, 2 failed, 3 timed out, 4 canceled, 5 lost, 6 skipped */
  readonly outcome: number
  readonly endedAt: number
  readonly executorId: number | null
}
export interface OpenRun {
  readonly id: number
  readonly taskId: number
  readonly slot: number
  readonly phase: number
  readonly attempt: number
}
export interface Attempt {
  readonly instanceId: number
  readonly attempt: number
  readonly isLate: boolean
  readonly outcome: number
}
export interface SlotRow {
  readonly id: number
  readonly ownerRun: number | null
  readonly fence: number
  readonly takenAt: number
}
export interface NodeRow {
  readonly runId: number
  readonly name: string
  /** how long ago its last beat was, by the database's clock, ms */
  readonly beatAgeMs: number
}

export interface Ledger {
  readonly spans: readonly Span[]
  readonly series: readonly Series[]
  readonly firings: readonly Firing[]
  readonly skips: readonly Skip[]
  readonly runs: readonly Run[]
  readonly openRuns: readonly OpenRun[]
  readonly attempts: readonly Attempt[]
  readonly signals: readonly number[]
  readonly slots: readonly SlotRow[]
  readonly nodes: readonly NodeRow[]
  /** what the reckoner of the nodes found wrong, and is not over */
  readonly findings: readonly unknown[]
}

const LEDGER = {
  spans: `SELECT series_id AS seriesId, from_at AS fromAt, to_at AS toAt, enabled = 1 AS isEnabled, anchor_at AS anchorAt, schedule
          FROM schedule_span ORDER BY series_id, from_at`,
  series: 'SELECT id, owner_id AS taskId, slot, next_due_at AS nextDueAt, awaits_id AS awaitsId, held FROM series ORDER BY id',
  firings: 'SELECT series_id AS seriesId, due_at AS dueAt, prev_due_at AS previousDueAt, instance_id AS instanceId FROM firing',
  skips: 'SELECT series_id AS seriesId, from_at AS fromAt, to_at AS toAt, prev_due_at AS previousDueAt, count, reason FROM skip',
  runs: `SELECT id, task_id AS taskId, series_id AS seriesId, due_at AS dueAt, created_at AS createdAt, attempt, outcome, ended_at AS endedAt, executor_id AS executorId
         FROM instance ORDER BY id`,
  openRuns: 'SELECT id, task_id AS taskId, slot, phase, attempt FROM open_instance ORDER BY id',
  attempts: 'SELECT instance_id AS instanceId, attempt, late = 1 AS isLate, outcome FROM attempt',
} as const
const SLOTS = 'SELECT id, owner_run AS ownerRun, fence, taken_at AS takenAt FROM slot ORDER BY id'
const NODES = `SELECT run_id AS runId, name, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) - beat_at AS beatAgeMs FROM node ORDER BY run_id`
const FINDINGS = 'SELECT * FROM finding WHERE gone_at IS NULL'
const SIGNALS = 'SELECT id FROM `signal` ORDER BY id'

/** A view from outside: one connection of its own, made again when it was lost. An answer that does not come within 20 s is a failure. */
export class LedgerReader implements AsyncDisposable {
  readonly #url: string
  #connection: Connection | null = null

  constructor(url: string) {
    this.#url = url
  }

  async ledger(): Promise<Ledger> {
    const spans = await this.#rows<Omit<Span, 'schedule' | 'isEnabled'> & { schedule: string; isEnabled: number }>(LEDGER.spans)
    const attempts = await this.#rows<Omit<Attempt, 'isLate'> & { isLate: number }>(LEDGER.attempts)
    return {
      spans: spans.map((span) => ({
        ...span,
        isEnabled: span.isEnabled === 1,
        schedule: JSON.parse(span.schedule) as Schedule,
      })),
      series: await this.#rows(LEDGER.series),
      firings: await this.#rows(LEDGER.firings),
      skips: await this.#rows(LEDGER.skips),
      runs: await this.#rows(LEDGER.runs),
      openRuns: await this.#rows(LEDGER.openRuns),
      attempts: attempts.map((attempt) => ({ ...attempt, isLate: attempt.isLate === 1 })),
      signals: (await this.#rows<{ id: number }>(SIGNALS)).map(({ id }) => id),
      slots: await this.slots(),
      nodes: await this.nodes(),
      findings: await this.#rows(FINDINGS),
    }
  }

  async slots(): Promise<SlotRow[]> {
    return this.#rows(SLOTS)
  }

  async nodes(): Promise<NodeRow[]> {
    return this.#rows(NODES)
  }

  /** What any statement answers; the caller names the columns that it expects. */
  async rows<Row>(sql: string): Promise<Row[]> {
    return this.#rows<Row>(sql)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.destroy()
    this.#connection = null
  }

  async #rows<Row>(sql: string): Promise<Row[]> {
    try {
      this.#connection ??= await createConnection({ uri: this.#url, connectTimeout: 3_000 })
      const [rows] = await this.#connection.query<RowDataPacket[]>({ sql, timeout: 20_000 })
      return rows as Row[]
    } catch (error) {
      this.#connection?.destroy()
      this.#connection = null
      throw error
    }
  }
}
