import { call, TIMEOUTS, type CallEnd, type Timeouts } from './client.ts'
import { SUCCESS } from './callback.ts'
import type { LogCursor } from './log-cursor.ts'
import { isUnknownCall, readReply, type Reply } from './reply.ts'
import type { RunRequest } from './run-request.ts'
import { Turns } from './turns.ts'
import type { Session } from '../link.ts'
import type { Networks } from '../networks.ts'

/** An attempt that an executor was given, or may have been. */
export interface XxlRun {
  readonly instanceId: number
  readonly attempt: number
  readonly jobId: number
  readonly logId: number
  readonly logAt: number
  readonly timeoutMs: number
  readonly log: LogCursor
  /** the engine knows that it was accepted, and that it runs */
  isAccepted: boolean
  isStarted: boolean
  /** a kill is on its way, or was answered */
  isKilled: boolean
  /** instants of the monotonic clock, ms */
  nextPollAt: number
  nextKillAt: number
  pollMs: number
  isPolling: boolean
  /** pages are fetched one after the other */
  fetching: Promise<unknown>
  nextIdleAt: number
  /** since when the executor says that it has nothing of this job; null: it has, or does not say */
  idleSince: number | null
  /** its end is known here: only the rest of its log is fetched, at that instant */
  lastPageAt: number | null
}

export interface PeerOptions {
  readonly session: Session
  readonly name: string
  readonly base: string
  readonly appName: string
  readonly accessToken: () => Promise<string>
  readonly networks: Networks
  readonly timeouts?: Timeouts
}

const CALLS_AT_ONCE = 8
const POLLS_AT_ONCE = 4
const LOG_ANSWER_BYTES = 33_554_432

/** One executor as this node knows it: where it is called, which dialect it speaks, what it has. */
export class Peer {
  readonly session: Session
  readonly name: string
  readonly base: string
  readonly runs = new Map<string, XxlRun>()
  /** a slow executor holds up no other */
  readonly calls = new Turns(CALLS_AT_ONCE)
  readonly polls = new Turns(POLLS_AT_ONCE)
  /** orders that wait to be claimed, by attempt, and their size */
  readonly pending = new Set<string>()
  pendingBytes = 0
  /** this node sends to it */
  isLinked = false
  isLinking = false
  /** it said goodbye, or another took its name */
  isGone = false
  heardAt = 0
  nextProbeAt = 0
  /** it refused a handler that it may know after its next start */
  refusedAt: number | null = null
  /** what was told of it already */
  toldTrouble = ''
  readonly #options: PeerOptions
  #isNewDialect = false

  constructor(options: PeerOptions) {
    this.#options = options
    this.session = options.session
    this.name = options.name
    this.base = options.base
  }

  /** It registered with the header of the newer dialect, or without. */
  speaks(isNewDialect: boolean): void {
    this.#isNewDialect = isNewDialect
  }

  /** Whether it answers, and lets this server in; null: it does. */
  async beat(): Promise<string | null> {
    const end = await this.#post('beat', {})
    if (end.kind !== 'answer') return end.why
    const reply = readReply(end.text)
    return reply.code !== SUCCESS && /token|appname/i.test(reply.message) ? reply.message : null
  }

  /** A call of a name that it does not know was not taken: then it is sent once more, by the name that the other dialect has for it. */
  async run(request: RunRequest): Promise<CallEnd> {
    const end = await this.#post(this.#runPath(), request)
    if (end.kind !== 'answer' || !isUnknownCall(readReply(end.text))) return end
    this.#isNewDialect = !this.#isNewDialect
    return this.#post(this.#runPath(), request)
  }

  async kill(jobId: number): Promise<CallEnd> {
    return this.#post('kill', { jobId })
  }

  /** Whether it has nothing of a job; null: it does not say. */
  async isIdle(jobId: number): Promise<boolean | null> {
    const end = await this.#post('idleBeat', { jobId })
    if (end.kind !== 'answer') return null
    const reply = readReply(end.text)
    return isUnknownCall(reply) ? null : reply.code === SUCCESS
  }

  /** null: no answer. tooLong: more than is read at once, and there is no way to ask for less. */
  async log({ logAt, logId }: XxlRun, fromLine: number): Promise<Reply | 'tooLong' | null> {
    const body = { logDateTim: logAt, logDateTime: logAt, logId, fromLineNum: fromLine }
    const end = await this.#post('log', body, LOG_ANSWER_BYTES)
    if (end.kind === 'unsure' && end.isTooLong === true) return 'tooLong'
    return end.kind === 'answer' ? readReply(end.text) : null
  }

  #runPath(): string {
    return this.#isNewDialect ? 'trigger' : 'run'
  }

  async #post(path: string, body: unknown, answerBytes?: number): Promise<CallEnd> {
    const { appName, networks, timeouts } = this.#options
    const accessToken = await this.#options.accessToken()
    return call(
      { base: this.base, path, body, appName, accessToken, networks, ...(answerBytes === undefined ? {} : { answerBytes }) },
      timeouts ?? TIMEOUTS,
    )
  }
}

export function keyOf({ instanceId, attempt }: { readonly instanceId: number; readonly attempt: number }): string {
  return `${String(instanceId)}:${String(attempt)}`
}
