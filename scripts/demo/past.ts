/*
 * The past of the demo: a month in which the company worked. It is not written, it is played: the real engine on the real store, by a clock that hops from
 * one instant at which something is due to the next, with executors and people whose doings are drawn. So ledger, runs, attempts, counters, incidents and
 * the audit log agree, as the reckoner, which is run at the end, would tell.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom, type Random } from '@tickwheel/core'
import { Sealed } from '../../server/src/auth/sealed.ts'
import { loadSecret } from '../../server/src/auth/secret.ts'
import { openChannel } from '../../server/src/auth/stored-channel.ts'
import { memoryCluster } from '../../server/src/cluster/memory/cluster.ts'
import type { Config } from '../../server/src/config/schema.ts'
import { Engine } from '../../server/src/engine/engine.ts'
import { Reckoner, SETTLE_MS } from '../../server/src/engine/reckoner.ts'
import { firstStart } from '../../server/src/first-start.ts'
import { failed, sent } from '../../server/src/notify/outcome.ts'
import { Sender } from '../../server/src/notify/sender.ts'
import { SecretBook } from '../../server/src/secret/book.ts'
import { Vault } from '../../server/src/secret/vault.ts'
import type { Database } from '../../server/src/store/database.ts'
import { openSqlite } from '../../server/src/store/dialect/sqlite.ts'
import { RunIds } from '../../server/src/store/ids.ts'
import { FileLogs } from '../../server/src/store/logs.ts'
import { migrate } from '../../server/src/store/migrate.ts'
import { HopClock } from './hop-clock.ts'
import { Founding } from './founding.ts'
import { PastExecutors, sessionOf } from './past-executors.ts'
import { lifeOf, type Happening } from './past-life.ts'

export interface PastOptions {
  /** those of the server that goes on from here; of its data folder only the store is made */
  readonly config: Config
  /** where that server will be reached */
  readonly url: string
  readonly days: number
  /** called with each day that has passed */
  readonly onDay?: (day: number) => void
}

export interface PlayedPast {
  readonly runs: number
  readonly firings: number
  /** what the reckoner holds against the ledger; none, unless something is broken */
  readonly findings: number
}

const DAY_MS = 86_400_000
/** Chance is the same every time. */
const SEED = 20_261
/** How late a firing is, ms: as a rule, and one time in so many. */
const LATE_MS = 14
const VERY_LATE_ONE_IN = 120
const VERY_LATE_MS = 2_600
const SILENT_STEP_MS = 1_000

/** Plays the past on an empty data folder, up to now. */
export async function playPast(options: PastOptions): Promise<PlayedPast> {
  const past = await Past.open(options)
  try {
    await past.play()
    return await past.reckoned()
  } finally {
    await past.close()
  }
}

interface Parts {
  readonly options: PastOptions
  readonly clock: HopClock
  readonly db: Database
  readonly logs: FileLogs
  readonly ids: RunIds
  readonly engine: Engine
  readonly executors: PastExecutors
  readonly founding: Founding
  readonly random: Random
  readonly sender: Sender
  readonly reckoner: Reckoner
  readonly endAt: number
}

class Past {
  readonly #parts: Parts
  #findings = 0

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  static async open(options: PastOptions): Promise<Past> {
    const { config, days } = options
    const dataDir = config.dataDir
    const endAt = Date.now()
    const clock = new HopClock(endAt - days * DAY_MS)
    const random = seededRandom(SEED)
    mkdirSync(dataDir, { recursive: true })
    const db = openSqlite({ path: join(dataDir, 'tickwheel.db'), now: () => clock.now(), isExpendable: true })
    await migrate(db)
    const logs = new FileLogs({ directory: dataDir })
    const ids = new RunIds(db, () => clock.now())
    await firstStart({ db, ids, now: () => clock.now(), config })
    const secret = loadSecret(dataDir, config.secret)
    const vault = new Vault(secret, [])
    const founding = new Founding({ db, ids, clock, seal: new Sealed(secret, 'secrets of alarm channels'), vault, ...options })
    const executors = new PastExecutors({ random, workOf: (order) => founding.workOf(order) })
    const onTrouble = (facts: unknown, text: string): void => void process.stderr.write(`${text} ${JSON.stringify(facts)}\n`)
    const cluster = memoryCluster(() => clock.monotonic())
    const engine = await Engine.create({
      db,
      logs,
      clock,
      random,
      // executors that are lost are part of it
      log: { warn: () => undefined, error: onTrouble },
      node: { name: 'demo', url: '', roles: ['api', 'scheduler'] },
      cluster,
      skewMs: () => 0,
      version: 'demo',
      serverZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      verifySession: sessionOf,
      heartbeatMs: config.executor.heartbeatMs,
      deadMs: config.executor.deadMs,
      logLimitBytes: config.log.maxBytes,
      maxOpenRuns: config.openRuns.max,
      references: new SecretBook({ db, vault, monotonic: () => clock.monotonic() }),
    })
    const seal = new Sealed(secret, 'secrets of alarm channels')
    const sender = new Sender({
      db,
      clock,
      buckets: cluster.buckets,
      postman: { send: async () => (random.next() < 0.03 ? failed('unreachable', 'connection refused') : sent('ok')) },
      openChannel: (row) => openChannel(row, seal),
      publicUrl: config.publicUrl,
      random: () => random.next(),
      takeId: () => ids.take(1),
      onTrouble: (error) => onTrouble(String(error), 'an alarm'),
    })
    const parts = { options, clock, db, logs, ids, engine, executors, founding, random, sender, endAt }
    const past: Past = new Past({
      ...parts,
      reckoner: new Reckoner({ db, clock, ids, onIncomplete: (found) => past.#found(found.length) }),
    })
    return past
  }

  async play(): Promise<void> {
    const { engine, executors, founding, reckoner, clock, options, random, sender } = this.#parts
    await reckoner.step(clock.now())
    await founding.begin()
    await engine.start(executors)
    sender.start()
    await executors.joinAll(
      engine,
      (app) => founding.groupIdOf(app),
      (app) => founding.handlersOf(app),
    )
    await founding.makeWork(engine)
    const life = lifeOf({ engine, executors, founding, random, startAt: clock.now(), endAt: this.#parts.endAt, days: options.days })
    await this.#settled()
    await this.#walk(life.toSorted((a, b) => a.at - b.at))
    await executors.finishAll(this.#parts.endAt)
    await this.#settled()
  }

  async reckoned(): Promise<PlayedPast> {
    const { reckoner, clock, db } = this.#parts
    // it leaves the youngest entries for later: now is later
    while (await reckoner.step(clock.now() + SETTLE_MS)) continue
    const count = async (table: string): Promise<number> =>
      (await db.read((tx) => tx.all<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`)))[0]?.n ?? 0
    return { runs: await count('instance'), firings: await count('firing'), findings: this.#findings + (await count('finding')) }
  }

  async close(): Promise<void> {
    const { engine, executors, sender, logs, db } = this.#parts
    await executors.leaveAll()
    await this.#settled()
    await sender.stop()
    await engine.stop()
    logs.close()
    await db.close()
  }

  /** From one thing that happens to the next, until now. */
  async #walk(life: readonly Happening[]): Promise<void> {
    const { clock, executors, endAt, options, random } = this.#parts
    let next = 0
    let day = 0
    for (;;) {
      const happening = life[next]
      const dueAt = await this.#nextDueAt()
      const at = Math.min(happening?.at ?? Infinity, executors.nextEndAt, dueAt)
      if (at > endAt) return
      if (happening !== undefined && happening.at <= at) {
        next += 1
        clock.slide(happening.at)
        await happening.happen()
        // nothing fires while the server is away
        if (happening.awayUntil !== undefined) clock.slide(happening.awayUntil)
        for (let ms = 0; ms < (happening.silentMs ?? 0); ms += SILENT_STEP_MS) {
          await executors.beat()
          await clock.hop(clock.now() + SILENT_STEP_MS, () => this.#settled())
        }
      } else if (executors.nextEndAt <= at) {
        clock.slide(at)
        await executors.finish(at)
      } else {
        await executors.beat()
        await clock.hop(dueAt + latenessOf(random), () => this.#settled())
      }
      await this.#work()
      for (; day < options.days && clock.now() >= endAt - (options.days - day) * DAY_MS; day += 1) options.onDay?.(day)
    }
  }

  /** Until executors have taken everything that follows from what has happened. */
  async #work(): Promise<void> {
    const { executors, clock } = this.#parts
    do {
      await this.#settled()
      await executors.obey(clock.now())
    } while (await executors.take(clock.now()))
    await this.#settled()
  }

  async #settled(): Promise<void> {
    await this.#parts.engine.settled()
    await this.#parts.sender.idle()
  }

  /** When the engine has something to do next: a firing, a retry whose time has come, a step that waits. */
  async #nextDueAt(): Promise<number> {
    const { db, clock } = this.#parts
    return db.read(async (tx) => {
      const [series] = await tx.all<{ at: number | null }>('SELECT MIN(next_due_at) AS at FROM series')
      const [run] = await tx.all<{ at: number | null }>('SELECT MIN(rank_at) AS at FROM open_instance WHERE rank_at > ?', [clock.now()])
      return Math.min(series?.at ?? Infinity, run?.at ?? Infinity)
    })
  }

  #found(count: number): void {
    this.#findings += count
  }
}

function latenessOf(random: Random): number {
  const isVery = random.next() * VERY_LATE_ONE_IN < 1
  return 1 + Math.round(random.next() ** 2 * (isVery ? VERY_LATE_MS : LATE_MS))
}
