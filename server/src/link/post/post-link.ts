/**
 * Executors that have an HTTP endpoint and hold no connection. The node at which one registers sends to it; when that node is gone, the one that hears its
 * next heartbeat goes on. Reports and heartbeats may come at any node.
 */
import {
  AppError,
  type FieldProblem,
  type Load,
  type ReportAnswer,
  type ReportBody,
  type RunningAttempt,
  type Verdict,
} from '@tickwheel/contract'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HeardAnswer, JoinAnswer, Link, LinkHost, Order, Session } from '../link.ts'
import type { Networks } from '../networks.ts'
import { ErrorAnswers, PATIENCE, type Patience } from './error-answers.ts'
import { Outbox } from './outbox.ts'
import { Poster, type Posted } from './poster.ts'
import { readReports, type Check } from './posted-reports.ts'

const TIMEOUT_MS = 5_000
const CONCURRENCY = 8
const CLOSE_WITHIN_MS = 2_000

export interface PostLinkOptions {
  readonly host: LinkHost
  /** the session token of an executor, which every node can make: orders are signed with it */
  readonly tokenOf: (session: Session) => string
  /** where an executor of that boot is reached; null: it has no address */
  readonly addressOf: (session: Session) => Promise<string | null>
  readonly check: Check
  /** where executors are called */
  readonly networks: Networks
  readonly warn?: (facts: Readonly<Record<string, unknown>>, message: string) => void
  /** how long an executor may take for an answer; default 5 s */
  readonly timeoutMs?: number
  /** when it is believed that one which only answers errors does not have a run; default 60 s */
  readonly patience?: Patience
}

export class PostLink implements Link {
  readonly #options: PostLinkOptions
  readonly #poster: Poster
  readonly #outboxes = new Map<number, Outbox>()
  /** by executor, what it did not take last: told once, not for each order and each second */
  readonly #told = new Map<number, string>()
  readonly #errors: ErrorAnswers
  #isPaused = false

  constructor(options: PostLinkOptions) {
    this.#options = options
    this.#poster = new Poster(options.timeoutMs ?? TIMEOUT_MS, options.networks)
    this.#errors = new ErrorAnswers(options.patience ?? PATIENCE)
  }

  /** An executor with an address has registered here, and tells nothing more of what an older process had. */
  async register(session: Session, address: string): Promise<JoinAnswer['kind']> {
    const joined = await this.join(session, address)
    if (joined === 'welcome') await this.#options.host.report(session, { type: 'recovered', n: 1, bootId: session.bootId })
    return joined
  }

  /** From now on this node sends to the executor, or it says why not. */
  async join(session: Session, address: string, running: readonly RunningAttempt[] = []): Promise<JoinAnswer['kind']> {
    const { host, tokenOf } = this.#options
    const key = tokenOf(session)
    const answer = await host.join({ token: key, ...session, running })
    if (answer.kind !== 'welcome') return answer.kind
    const earlier = this.#outboxes.get(session.executorId)
    if (earlier !== undefined && earlier.session.bootId > session.bootId) return 'superseded'
    earlier?.close()
    if (earlier?.session.bootId !== session.bootId) this.#errors.end(session.executorId)
    const outbox = new Outbox({
      session,
      address,
      key,
      concurrency: CONCURRENCY,
      now: () => host.now(),
      post: (letter) => this.#poster.post(letter),
      onPosted: (order, posted) => this.#posted(session, order, posted),
    })
    this.#outboxes.set(session.executorId, outbox)
    host.joined(session)
    return 'welcome'
  }

  /** A heartbeat, also of an executor that another node sends to, or that has a stream. */
  async beat(session: Session, beat: { running: readonly RunningAttempt[]; load: Load }): Promise<HeardAnswer> {
    const heard = await this.#options.host.hear(session, beat)
    if (heard.kind === 'heard') this.#errors.heard(session, beat.running)
    if (heard.kind !== 'heard' || heard.link !== 'nobody') return heard
    const address = await this.#options.addressOf(session)
    if (address === null) return heard
    const joined = await this.join(session, address, beat.running)
    return joined === 'welcome' ? { ...heard, link: 'here' } : { kind: joined }
  }

  /** A verdict for each report, after the commit. Throws `STORE_AWAY`: nothing of it is acknowledged, all of it may be sent again. */
  async report(session: Session, body: ReportBody): Promise<ReportAnswer> {
    const { host, check } = this.#options
    if (this.#isPaused) throw away('Too many reports wait for the store')
    const errors: FieldProblem[] = []
    const verdicts = await Promise.all(
      readReports(body, host.now(), check).map(async (read): Promise<Verdict | null> => {
        if (read.kind === 'bad') {
          errors.push(...read.problems)
          return 'bad'
        }
        const given = await Promise.all(read.reports.map((report) => host.report(session, report)))
        return given.includes(null) ? null : (given.at(-1) ?? null)
      }),
    )
    const known = verdicts.filter((verdict) => verdict !== null)
    if (known.length < verdicts.length) throw away('The store cannot be reached')
    return { verdicts: known, errors }
  }

  send(session: Session, orders: readonly Order[]): 'sent' | 'absent' | 'full' {
    return this.#find(session)?.send(orders) ?? 'absent'
  }

  /** It is given nothing new, and need not know. */
  drain(): void {}

  end(session: Session): void {
    const outbox = this.#find(session)
    outbox?.close()
    if (outbox === null) return
    this.#outboxes.delete(session.executorId)
    this.#told.delete(session.executorId)
    this.#errors.end(session.executorId)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  /** The node leaves: what is on its way comes to its end (2 s at most), and another node may send to the executors. */
  async close(): Promise<void> {
    const outboxes = [...this.#outboxes.values()]
    this.#outboxes.clear()
    for (const outbox of outboxes) outbox.close()
    const enough = new AbortController()
    const late = sleep(CLOSE_WITHIN_MS, undefined, { signal: enough.signal }).catch(() => undefined)
    await Promise.race([late, Promise.all(outboxes.map((outbox) => outbox.idle()))])
    enough.abort()
    for (const { session } of outboxes) this.#options.host.left(session)
    this.#poster.close()
  }

  #find(session: Session): Outbox | null {
    const outbox = this.#outboxes.get(session.executorId)
    return outbox?.session.bootId === session.bootId ? outbox : null
  }

  /** What is not known, a sweep sends again, but not for ever: see `ErrorAnswers`. So it does with a cancel that was not taken. */
  #posted(session: Session, order: Order, outcome: Posted): void {
    const { host } = this.#options
    const { instanceId, attempt } = order
    this.#tell(session, order, outcome)
    const posted = order.type === 'dispatch' ? this.#judged(session, order, outcome) : outcome
    if (order.type !== 'dispatch' || posted.kind === 'unknown') return
    const run = { n: 1, instanceId, attempt, at: host.now() }
    void host.report(
      session,
      posted.kind === 'taken' ? { type: 'accepted', ...run } : { type: 'rejected', ...run, code: posted.code, detail: posted.detail },
    )
  }

  #judged(session: Session, attempt: RunningAttempt, posted: Posted): Posted {
    if (posted.kind === 'unknown' && posted.isError === true) {
      const detail = this.#errors.noted(session, attempt)
      if (detail === null) return posted
      this.#errors.forget(session, attempt)
      return { kind: 'refused', code: 'unreachable', detail }
    }
    this.#errors.forget(session, attempt)
    return posted
  }

  #tell(session: Session, order: Order, posted: Posted): void {
    const what = posted.kind === 'taken' ? '' : `${posted.kind} ${posted.detail}`
    if (what === (this.#told.get(session.executorId) ?? '')) return
    if (posted.kind === 'taken') return void this.#told.delete(session.executorId)
    this.#told.set(session.executorId, what)
    const { instanceId, attempt } = order
    this.#options.warn?.({ ...session, order: order.type, instanceId, attempt, ...posted }, 'an executor did not take an order')
  }
}

function away(what: string): AppError {
  return new AppError('STORE_AWAY', `${what}: nothing was acknowledged. Send the same reports again in a few seconds.`, {
    params: { retryAfterSeconds: 2 },
  })
}

/** The address as orders are posted to it, without a slash at its end; null: it is none. */
export function readAddress(text: string): string | null {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null
  const url = new URL(text)
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return null
  return url.href.replace(/\/+$/, '')
}
