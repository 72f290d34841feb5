/**
 * The torture: a world is built, hurt at random for a while, healed, brought to rest and judged.
 *
 *   build ─▶ quiet ─▶ blows, while people work ─▶ heal ─▶ every series goes on ─▶ stop all ─▶ nothing open ─▶ check
 *
 * Every wait is bounded; one that fails counts as stuck, and what can still be judged is.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Task } from '@tickwheel/contract'
import type { ApiClient } from '../kit/api-client.ts'
import { Chance } from '../kit/chance.ts'
import { homeGroup } from '../kit/runs.ts'
import { waitFor } from '../kit/wait-for.ts'
import { check, type Fault, type Verdict } from './check.ts'
import { FaultPlan, strike, type FaultKind, type Injury } from './faults.ts'
import { medianAndMost, spread } from './figures.ts'
import type { Ledger, LedgerReader } from './ledger.ts'
import { AnyNode, Person } from './people.ts'
import { SlotWatch, takeovers, type Takeover } from './takeover.ts'
import { taskMix } from './tasks.ts'
import { World } from './world.ts'

export interface TortureOptions {
  readonly seed: number
  /** how long it hurts, ms */
  readonly hurtMs: number
  /** undisturbed time before, ms */
  readonly quietMs: number
  readonly tasks: number
  readonly nodes: number
  readonly executors: number
  /** what may be done */
  readonly faults: readonly FaultKind[]
  /** the longest that a fault holds, ms */
  readonly mostHoldMs: number
  /** no heartbeat for so long: an executor is lost, ms. More than the 5 s after which one whose node hangs looks for another */
  readonly deadMs: number
  /** how long all may take to come to rest, ms */
  readonly restMs: number
  /** aborted: ends at once, without a verdict */
  readonly signal: AbortSignal
  readonly say: (line: string) => void
  /** where logs, ledger and faulty rows are kept when something is wrong */
  readonly keepIn: string
  /** they are kept in any case */
  readonly keep: boolean
}

export interface TortureResult {
  readonly missing: number
  readonly doubled: number
  readonly stuck: number
}

/** Runs it once; the counts of what is wrong. Whatever it started has ended when it resolves. */
export async function torture(options: TortureOptions): Promise<TortureResult> {
  const names = (count: number, from: string): string[] =>
    Array.from({ length: count }, (_none, index) => String.fromCharCode(from.charCodeAt(0) + index))
  await using world = await World.make({
    nodeNames: names(options.nodes, 'a'),
    executorNames: names(options.executors, 'x'),
    withWires: true,
    env: {
      TICKWHEEL_EXECUTOR_HEARTBEAT_MS: String(options.deadMs / 5),
      TICKWHEEL_EXECUTOR_DEAD_MS: String(options.deadMs),
      TICKWHEEL_SHUTDOWN_GRACE_MS: '15000',
    },
  })
  options.signal.throwIfAborted()
  return await new Torture(world, options).run()
}

class Torture {
  readonly #world: World
  readonly #options: TortureOptions
  readonly #chance: Chance
  readonly #injuries: Injury[] = []
  readonly #stuck: Fault[] = []
  readonly #watch: SlotWatch
  readonly #watchReader: LedgerReader
  #people: readonly Person[] = []

  constructor(world: World, options: TortureOptions) {
    this.#world = world
    this.#options = options
    this.#chance = new Chance(options.seed)
    this.#watchReader = world.newReader()
    this.#watch = new SlotWatch(this.#watchReader)
  }

  /** Rejects at once when it is told to end; what is under way then ends with the world. */
  async run(): Promise<TortureResult> {
    const { signal, keepIn, say } = this.#options
    const { promise: ended, reject } = Promise.withResolvers<never>()
    const end = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('ended'))
    signal.addEventListener('abort', end)
    try {
      return await Promise.race([this.#play(), ended])
    } catch (error) {
      if (!signal.aborted) {
        this.#world.keepLogs(keepIn)
        say(`what every process printed is in ${keepIn}`)
      }
      throw error
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  async #play(): Promise<TortureResult> {
    const over = new AbortController()
    try {
      const admin = await this.#build()
      const watching = this.#watch.watch(over.signal)
      const living = this.#people.map(async (person) => this.#bounded('a person', person.live(over.signal)))
      await this.#pause(this.#options.quietMs)
      await this.#hurt()
      over.abort()
      await Promise.all([watching, ...living])
      await this.#rest(admin)
      return await this.#judge()
    } finally {
      over.abort()
      await this.#watchReader[Symbol.asyncDispose]()
    }
  }

  /** Processes, tasks and people. */
  async #build(): Promise<ApiClient> {
    const { tasks: count, hurtMs, quietMs } = this.#options
    const from = Date.now()
    const admin = await this.#world.begin()
    const groupId = await homeGroup(admin)
    const onceAt = [0.2, 0.5, 0.8].map((part) => Date.now() + 10_000 + Math.floor((quietMs + hurtMs) * part))
    const bodies = taskMix({ chance: this.#chance, count, notes: this.#world.notes, onceAt })
    const made: Task[] = []
    // eight at a time
    for (let first = 0; first < bodies.length; first += 8)
      made.push(
        ...(await Promise.all(
          bodies
            .slice(first, first + 8)
            .map(async (body) => admin.post<Task>('/task', { groupId, enabled: body.schedule.kind !== 'manual', ...body })),
        )),
      )
    this.#people = this.#employ(made, admin.token ?? '')
    this.#options.say(
      `${String(made.length)} tasks on ${this.#world.cluster.nodes.map(({ name }) => name).join(', ')}, ready after ${seconds(Date.now() - from)}`,
    )
    return admin
  }

  #employ(tasks: readonly Task[], token: string): Person[] {
    const urls = this.#world.cluster.nodes.map(({ url }) => url)
    const scheduled = tasks.filter(({ schedule }) => schedule.kind !== 'manual').map(({ id }) => id)
    const manual = tasks.filter(({ schedule }) => schedule.kind === 'manual').map(({ id }) => id)
    return ['ann', 'bob', 'cem', 'dao'].map((name, index, all) => {
      const chance = new Chance(this.#options.seed * 31 + index)
      const mine = (ids: readonly number[]): number[] => ids.filter((_id, place) => place % all.length === index)
      return new Person({ name, chance, api: new AnyNode(urls, token, chance), scheduled: mine(scheduled), manual: mine(manual) })
    })
  }

  /** Round after round until time is up; each ends when its targets are well. */
  async #hurt(): Promise<void> {
    const { hurtMs, mostHoldMs, quietMs } = this.#options
    const { cluster, executors } = this.#world
    const plan = new FaultPlan(this.#chance, {
      nodes: cluster.nodes.map(({ name }) => name),
      executors: executors.map(({ name }) => name),
      holds: { most: mostHoldMs },
      kinds: this.#options.faults,
    })
    const until = Date.now() + hurtMs
    for (let round = 1; Date.now() < until; round += 1) {
      await Promise.all(
        plan.next().map(async (blow) => {
          this.#options.say(`${new Date().toISOString().slice(11, 23)} ${blow.kind} ${blow.target} for ${String(blow.holdMs)} ms`)
          const injury = strike(this.#world, blow, (node, kind, at) => this.#watch.note(node.name, kind, at))
          await this.#bounded(
            `${blow.kind} ${blow.target}`,
            injury.then((each) => void this.#injuries.push(each)),
          )
        }),
      )
      await this.#pause(round % 8 === 0 ? Math.min(quietMs, Math.max(0, until - Date.now())) : this.#chance.between(200, 3000))
    }
  }

  /** Every series goes on; then all is stopped, and what is open ends. */
  async #rest(admin: ApiClient): Promise<void> {
    const { restMs, say } = this.#options
    const { cluster, reader } = this.#world
    const from = Date.now()
    await this.#bounded('readiness', Promise.all(cluster.nodes.map(async (node) => node.ready())))
    await this.#bounded(
      'every series to go on',
      waitFor(async () => (await this.#late()).length === 0, { what: 'an end of what is overdue', timeoutMs: restMs, everyMs: 250 }),
    )
    for (const row of await this.#late()) this.#stuck.push({ what: 'a series that does not go on', rows: row })
    await this.#bounded('the stop of every task', Promise.all(this.#people.map(async (person) => person.stopAll())))
    const stoppedAfter = Date.now() - from
    const open = async (): Promise<number> => (await reader.rows('SELECT id FROM open_instance UNION ALL SELECT id FROM `signal`')).length
    await this.#bounded(
      'the end of every run',
      waitFor(async () => (await open()) === 0, { what: 'the end of every run', timeoutMs: restMs, everyMs: 250 }),
    )
    say(`healed and stopped after ${seconds(stoppedAfter)}, at rest after ${seconds(Date.now() - from)}`)
    this.#clusterView(await admin.call('GET', '/cluster').catch(() => null))
  }

  /** Enabled series that are overdue for more than 5 s, or that wait for a run that is not there. */
  async #late(): Promise<unknown[]> {
    return this.#world.reader.rows(
      `SELECT s.* FROM series s JOIN schedule_span p ON p.series_id = s.id AND p.to_at IS NULL AND p.enabled = 1
       WHERE s.next_due_at < UNIX_TIMESTAMP(NOW(3)) * 1000 - 5000
          OR (s.next_due_at IS NULL AND s.awaits_id IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM open_instance o WHERE o.id = s.awaits_id)
              AND NOT EXISTS (SELECT 1 FROM \`signal\` g WHERE g.instance_id = s.awaits_id))`,
    )
  }

  async #judge(): Promise<TortureResult> {
    const world = this.#world
    const ledger = await world.reader.ledger()
    const told = this.#people.flatMap((person) => person.told)
    const triggered = new Map(this.#people.flatMap((person) => [...person.triggered]))
    const verdict = check(ledger, { starts: world.starts(), told, triggered })
    const stuck = [...verdict.stuck, ...this.#stuck, ...world.surprises.map((what) => ({ what, rows: null }))]
    this.#report(verdict, ledger)
    const result = { missing: verdict.missing.length, doubled: verdict.doubled.length, stuck: stuck.length }
    if (this.#options.keep || result.missing + result.doubled + result.stuck > 0) this.#keep({ ...verdict, stuck }, ledger)
    return result
  }

  #report({ figures }: Verdict, ledger: Ledger): void {
    const { say } = this.#options
    const kinds = Object.entries(Object.groupBy(this.#injuries, ({ kind }) => kind))
    say(
      `faults: ${kinds.map(([kind, of]) => `${kind} ${String(of.length)}`).join(', ')}; starts that found no store ${String(this.#world.refusedStarts)}`,
    )
    say(
      `ledger: ${Object.entries(figures)
        .map(([name, count]) => `${name} ${String(count)}`)
        .join(', ')}`,
    )
    const people = this.#people.map((person) => person.figures)
    say(
      `people: ${(['triggers', 'toggles', 'edits'] as const).map((name) => `${name} ${String(sum(people.map((each) => each[name])))}`).join(', ')}`,
    )
    const all = takeovers(this.#watch, ledger, this.#injuries)
    for (const kind of ['nodeKill', 'nodeFreeze', 'nodeWithoutStore', 'nodeRestart'] as const) this.#sayTakeovers(kind, all)
    this.#sayLateness(ledger)
  }

  /** How long after it was due each run was made. What is due when a run has ended is also late when that end was heard late: told apart. */
  #sayLateness({ runs, spans }: Ledger): void {
    const delays = new Set(spans.filter(({ schedule }) => schedule.kind === 'fixedDelay').map(({ seriesId }) => seriesId))
    const due = runs.flatMap(({ dueAt, seriesId, createdAt }) =>
      dueAt === null || seriesId === null ? [] : [{ dueAt, seriesId, lateMs: createdAt - dueAt }],
    )
    for (const isDisturbed of [false, true])
      for (const isDelay of [false, true]) {
        const values = due.filter((run) => this.#isDisturbed(run.dueAt) === isDisturbed && delays.has(run.seriesId) === isDelay)
        const what = `lateness, ${isDisturbed ? 'disturbed' : 'undisturbed'}${isDelay ? ', fixedDelay' : ''}`
        this.#options.say(
          `${what}: ${spread(
            values.map(({ lateMs }) => lateMs),
            [50, 90, 99, 99.9],
          )} (${String(values.length)} firings)`,
        )
      }
  }

  #sayTakeovers(kind: FaultKind, all: readonly Takeover[]): void {
    const mine = all.filter((each) => each.kind === kind)
    this.#sayTakeover(
      `takeover after ${kind}, nothing else hurt`,
      mine.filter(({ isAlone }) => isAlone),
    )
    this.#sayTakeover(`takeover after ${kind}, all`, mine)
  }

  #sayTakeover(what: string, some: readonly Takeover[]): void {
    const of = (pick: (one: Takeover) => number): string => medianAndMost(some.map(pick))
    if (some.length === 0) return
    const words = [
      `first firing elsewhere ${of((one) => one.firstMs)}`,
      `every slot ${of((one) => one.allMs)}`,
      `latest firing late by ${of((one) => one.latestMs)}`,
    ]
    this.#options.say(`${what}: ${words.join('; ')}`)
  }

  #isDisturbed(at: number): boolean {
    return this.#injuries.some(({ from, until }) => from - 1000 <= at && at <= until + SETTLE_MS)
  }

  #clusterView(answer: { readonly status: number; readonly body: unknown } | null): void {
    if (answer?.status !== 200) return
    const { redis, contended, nodes } = answer.body as {
      redis: string
      contended: number
      nodes: { name: string; slots: number; isAlive: boolean }[]
    }
    const words = nodes.map(({ name, slots, isAlive }) => `${name} ${isAlive ? String(slots) : 'dead'}`)
    this.#options.say(`cluster: redis ${redis}, slots ${words.join(', ')}, contended ${String(contended)}`)
  }

  #keep(verdict: Pick<Verdict, 'missing' | 'doubled' | 'stuck'>, ledger: Ledger): void {
    const { keepIn, say, seed } = this.#options
    mkdirSync(keepIn, { recursive: true })
    this.#world.keepLogs(keepIn)
    const write = (name: string, value: unknown): void => writeFileSync(join(keepIn, `${name}.json`), JSON.stringify(value, null, 1))
    write('faults', verdict)
    write('ledger', ledger)
    write('injuries', this.#injuries)
    write('slots', { hurts: this.#watch.hurts, takings: this.#watch.takings })
    for (const [kind, faults] of Object.entries({ missing: verdict.missing, doubled: verdict.doubled, stuck: verdict.stuck })) {
      for (const { what } of faults.slice(0, 10)) say(`${kind}: ${what}`)
      if (faults.length > 10) say(`${kind}: … and ${String(faults.length - 10)} more`)
    }
    say(`seed ${String(seed)}: what every process printed, and the rows concerned, are in ${keepIn}`)
  }

  /** What fails in here is stuck, and the rest goes on. */
  async #bounded(what: string, work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#options.signal.throwIfAborted()
      this.#stuck.push({ what: `${what}: ${error instanceof Error ? error.message : String(error)}`, rows: null })
    }
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#options.signal })
  }
}

/** what was late because of a fault, until so long after it, is not held against quiet time */
const SETTLE_MS = 8_000

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
