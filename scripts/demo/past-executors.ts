import type { Dispatch, Finished, LineTuple, Register } from '@tickwheel/contract'
import type { Random } from '@tickwheel/core'
import type { Engine } from '../../server/src/engine/engine.ts'
import type { Link, Order, Report, Session } from '../../server/src/link/link.ts'
import { SYSTEM } from '../../server/src/store/caller.ts'
import { EXECUTORS, type DemoExecutor } from './company.ts'
import { courseOf, type Course, type Work } from './work.ts'

/** Without the number of its frame. */
type Unnumbered<T> = T extends { n: number } ? Omit<T, 'n'> : never

interface Running {
  readonly session: Session
  readonly order: Dispatch
  readonly course: Course
  readonly startedAt: number
  readonly endAt: number
  readonly outcome: Finished['outcome']
}

const STREAM_LOG = 2
const LEVEL_INFO = 1
const LEVEL_ERROR = 3
const ACCEPT_MS = [2, 18] as const
/** One executor in so many is busy with something else when a run comes. */
const BUSY_ONE_IN = 60
/** A hop is a second, and who says nothing for 15 is lost. */
const HOPS_A_BEAT = 5

export interface PastExecutorsOptions {
  readonly random: Random
  /** how runs of a handler of a task go */
  readonly workOf: (order: Dispatch) => Work
}

/** The executors of the played past: what is sent to them is accepted at once, and ends at the instant that its course says. */
export class PastExecutors implements Link {
  readonly #options: PastExecutorsOptions
  readonly #sessions = new Map<DemoExecutor, Session>()
  readonly #known = new Set<string>()
  #sent: Dispatch[] = []
  #canceled = new Set<string>()
  #running: Running[] = []
  #n = 0
  #hops = 0
  #engine: Engine | null = null

  constructor(options: PastExecutorsOptions) {
    this.#options = options
  }

  // ── the link ──

  send(session: Session, orders: readonly Order[]): 'sent' | 'absent' {
    if (![...this.#sessions.values()].some(({ bootId }) => bootId === session.bootId)) return 'absent'
    for (const order of orders) {
      const key = keyOf(order)
      if (order.type === 'cancel') this.#canceled.add(key)
      else if (!this.#known.has(key)) this.#sent.push(order)
      if (order.type === 'dispatch') this.#known.add(key)
    }
    return 'sent'
  }

  drain(): void {}
  end(): void {}
  pause(): void {}
  resume(): void {}

  // ── coming and going ──

  async joinAll(engine: Engine, groupIdOf: (app: string) => number, handlersOf: (app: string) => Register['handlers']): Promise<void> {
    this.#engine = engine
    for (const executor of EXECUTORS) await this.join(executor, groupIdOf(executor.app), handlersOf(executor.app))
  }

  async join(executor: DemoExecutor, groupId: number, handlers: Register['handlers']): Promise<void> {
    const engine = this.#needEngine()
    const { app: appName, name, capacity, labels = {}, host } = executor
    const facts = { appName, name, capacity, labels, host, pid: 4711, version: '0.1.0', protocol: { min: 1, max: 1 }, handlers }
    const session = await engine.registerExecutor(groupId, facts, SYSTEM)
    const answer = await engine.join({ token: tokenOf(session), ...session, running: [] })
    if (answer.kind !== 'welcome') throw new Error(`${name} is not welcome: ${answer.kind}`)
    this.#sessions.set(executor, session)
    engine.joined(session)
    await this.#say(session, { type: 'recovered', bootId: session.bootId })
  }

  /** It goes without a word: what it ran is lost when its heartbeats stay away. */
  vanish(executor: DemoExecutor): void {
    const session = this.#sessions.get(executor)
    if (session === undefined) return
    this.#sessions.delete(executor)
    this.#running = this.#running.filter((run) => run.session.bootId !== session.bootId)
    this.#needEngine().left(session)
  }

  async leave(executor: DemoExecutor): Promise<void> {
    const session = this.#sessions.get(executor)
    if (session === undefined) return
    this.#sessions.delete(executor)
    await this.#needEngine().gone(session)
  }

  async leaveAll(): Promise<void> {
    for (const executor of [...this.#sessions.keys()]) await this.leave(executor)
  }

  /** To be called with each hop of the clock; executors say that they live with every fifth. */
  async beat(): Promise<void> {
    this.#hops += 1
    if (this.#hops % HOPS_A_BEAT !== 0) return
    const engine = this.#needEngine()
    await Promise.all(
      [...this.#sessions.values()].map(async (session) => {
        const running = this.#running.filter((run) => run.session.bootId === session.bootId).map(({ order }) => nameOf(order))
        await engine.beat(session, { running, load: { cpu: 0.2, memory: 0.4, running: running.length, queued: 0 } })
      }),
    )
  }

  // ── runs ──

  /** When the next run ends; Infinity: nothing runs. */
  get nextEndAt(): number {
    return this.#running[0]?.endAt ?? Infinity
  }

  /** Accepts what was sent; true: there was something. */
  async take(now: number): Promise<boolean> {
    const orders = this.#sent
    this.#sent = []
    await Promise.all(orders.map((order) => this.#begin(order, now)))
    this.#running.sort((a, b) => a.endAt - b.endAt)
    return orders.length > 0
  }

  /** Ends what ends by an instant. */
  async finish(until: number): Promise<void> {
    const ended = this.#running.filter((run) => run.endAt <= until)
    this.#running = this.#running.filter((run) => run.endAt > until)
    await Promise.all(ended.map((run) => this.#finish(run, run.endAt, run.outcome)))
  }

  /** Ends what was canceled. */
  async obey(now: number): Promise<void> {
    if (this.#canceled.size === 0) return
    const canceled = this.#running.filter(({ order }) => this.#canceled.has(keyOf(order)))
    this.#canceled.clear()
    this.#running = this.#running.filter((run) => !canceled.includes(run))
    await Promise.all(canceled.map((run) => this.#finish(run, now, 'canceled')))
  }

  /** Nothing runs on into the present, where other processes are at work: it ends now. */
  async finishAll(now: number): Promise<void> {
    this.#running = this.#running.map((run) => ({ ...run, endAt: Math.min(run.endAt, now) }))
    await this.finish(now)
  }

  async #begin(order: Dispatch, now: number): Promise<void> {
    const { random, workOf } = this.#options
    const session = [...this.#sessions.values()].find(({ bootId }) => bootId === order.bootId)
    if (session === undefined) return
    const isBusy = random.next() * BUSY_ONE_IN < 1
    const acceptedAt = now + Math.round(ACCEPT_MS[0] + random.next() * (ACCEPT_MS[1] - ACCEPT_MS[0]) + (isBusy ? random.next() * 6_000 : 0))
    const startedAt = acceptedAt + 1 + Math.round(random.next() * 6)
    const course = courseOf(workOf(order), random)
    const isLate = order.timeoutMs > 0 && course.ms > order.timeoutMs
    const endAt = startedAt + (isLate ? order.timeoutMs : course.ms)
    this.#running.push({
      session,
      order,
      course,
      startedAt,
      endAt,
      outcome: isLate ? 'timedOut' : course.error === null ? 'succeeded' : 'failed',
    })
    await Promise.all([
      this.#say(session, { type: 'accepted', ...nameOf(order), at: acceptedAt }),
      this.#say(session, { type: 'started', ...nameOf(order), at: startedAt }),
    ])
  }

  async #finish({ session, order, course, startedAt }: Running, at: number, outcome: Finished['outcome']): Promise<void> {
    const name = nameOf(order)
    const lines = course.lines.map(([after, text]): LineTuple => [
      Math.min(startedAt + after, at),
      STREAM_LOG,
      text.startsWith('ERROR') ? LEVEL_ERROR : LEVEL_INFO,
      text,
    ])
    const bytes = lines.reduce((sum, [, , , text]) => sum + text.length, 0)
    await Promise.all([
      ...(lines.length === 0 ? [] : [this.#say(session, { type: 'log', ...name, firstSeq: 1, lines })]),
      this.#say(session, { type: 'logEnd', ...name, lines: lines.length, bytes, dropped: 0 }),
      this.#say(session, {
        type: 'finished',
        ...name,
        at,
        startedAt,
        bootId: session.bootId,
        outcome,
        ...(outcome === 'succeeded' && course.result !== undefined ? { result: course.result } : {}),
        ...errorOf(outcome, course, order),
      }),
    ])
  }

  async #say(session: Session, frame: Unnumbered<Report>): Promise<void> {
    this.#n += 1
    await this.#needEngine().report(session, { ...frame, n: this.#n })
  }

  #needEngine(): Engine {
    if (this.#engine === null) throw new Error('nobody has joined yet')
    return this.#engine
  }
}

function errorOf(outcome: Finished['outcome'], course: Course, { timeoutMs }: Dispatch): Pick<Finished, 'error'> {
  if (outcome === 'timedOut') return { error: { code: 'TIMED_OUT', message: `stopped at its time limit of ${String(timeoutMs)} ms` } }
  if (outcome === 'canceled') return { error: { code: 'CANCELED', message: 'canceled' } }
  return outcome === 'failed' && course.error !== null ? { error: course.error } : {}
}

function nameOf({ instanceId, attempt }: { instanceId: number; attempt: number }): { instanceId: number; attempt: number } {
  return { instanceId, attempt }
}

function keyOf({ instanceId, attempt }: { instanceId: number; attempt: number }): string {
  return `${String(instanceId)}:${String(attempt)}`
}

/** The token of a session in the past is its numbers. */
export function tokenOf({ executorId, bootId }: Session): string {
  return `${String(executorId)}.${String(bootId)}`
}

export function sessionOf(token: string): Session | null {
  const [executorId, bootId] = token.split('.').map(Number)
  return executorId === undefined || bootId === undefined ? null : { executorId, bootId }
}
