import type { ExecutorFrame, Register, Verdict } from '@tickwheel/contract'
import type { LinkHost, Report, Session } from '../link.ts'
import type { Networks } from '../networks.ts'
import type { Database } from '../../store/database.ts'
import type { Reach } from '../../store/executors.ts'
import type { LogStore } from '../../store/logs.ts'
import type { WireSeen } from '../../store/wires.ts'
import type { Access } from './access.ts'
import type { Timeouts } from './client.ts'
import { LogCursor } from './log-cursor.ts'
import { keyOf, type Peer, type XxlRun } from './peer.ts'

export interface XxlLinkOptions {
  readonly host: LinkHost
  readonly db: Database
  readonly logs: LogStore
  /** run ids in a row: the first */
  readonly takeIds: (count: number) => Promise<number>
  readonly register: (groupId: number, register: Register, reach: Reach) => Promise<Session>
  readonly issueToken: (session: Session) => string
  /** an executor has come or gone: what was read of them is stale */
  readonly onExecutors: () => void
  readonly access: Access
  /** where executors are called */
  readonly networks: Networks
  /** how many runs an executor is given at once: it does not say */
  readonly capacity: number
  readonly logLimitBytes: number
  readonly log: { warn(facts: Readonly<Record<string, unknown>>, text: string): void }
  readonly timing?: Partial<Timing>
}

/** All in ms. */
export interface Timing {
  /** how often it is looked at what is due */
  readonly tickMs: number
  /** logs of runs are fetched so often: at once after new lines, ever more seldom without */
  readonly pollMinMs: number
  readonly pollMaxMs: number
  /** the executor writes to a log a little after the end */
  readonly lastPageMs: number
  /** how often it is compared with the store which runs are open */
  readonly lookMs: number
  /** an executor that did not answer is tried again */
  readonly probeMs: number
  /** an accepted run is asked for when it is so old, so often */
  readonly idleMs: number
  /** so long an executor must say that it has nothing of the job: results that it could not deliver it sends again after 30 s */
  readonly goneMs: number
  /** beyond its time limit a run is ended from here */
  readonly overtimeMs: number
  /** without a registration for so long an executor is not asked any more */
  readonly deadMs: number
  readonly timeouts?: Timeouts
}

export const TIMING: Timing = {
  tickMs: 250,
  pollMinMs: 1_000,
  pollMaxMs: 3_000,
  lastPageMs: 1_000,
  lookMs: 2_000,
  probeMs: 2_000,
  idleMs: 15_000,
  goneMs: 60_000,
  overtimeMs: 2_000,
  deadMs: 90_000,
}

/** A report before it has a number. */
export type Said = ExecutorFrame extends infer Frame ? (Frame extends { n: number } ? Omit<Frame, 'n'> : never) : never

/** What the parts of the link have in common. */
export class Shared {
  readonly options: XxlLinkOptions
  readonly timing: Timing
  readonly peers = new Map<number, Peer>()
  isClosed = false
  #n = 0

  constructor(options: XxlLinkOptions) {
    this.options = options
    this.timing = { ...TIMING, ...options.timing }
  }

  /** The executor that a session speaks for, if it is known here and this is its newest process. */
  of({ executorId, bootId }: Session): Peer | null {
    const peer = this.peers.get(executorId)
    return peer?.session.bootId === bootId ? peer : null
  }

  async say(session: Session, said: Said): Promise<Verdict | null> {
    this.#n += 1
    const report: Report = { ...said, n: this.#n }
    return this.options.host.report(session, report)
  }

  /** Says what nobody waits for; what the store could not take, a sweep or the next look finds again. */
  tell(session: Session, said: Said): void {
    void this.say(session, said).catch((error: unknown) =>
      this.options.log.warn({ ...session, type: said.type, err: error }, 'a report of an XXL-JOB executor could not be passed on'),
    )
  }

  /** Takes an attempt into the care of this node. `stored`: lines of its log that are there already. */
  track(peer: Peer, wire: WireSeen, stored: number): XxlRun {
    const now = performance.now()
    const run: XxlRun = {
      instanceId: wire.instance_id,
      attempt: wire.attempt,
      jobId: wire.task_id ?? 0,
      logId: wire.id,
      logAt: wire.log_at,
      timeoutMs: wire.timeout_ms,
      log: new LogCursor(this.options.logLimitBytes, stored),
      isAccepted: wire.accepted_at !== null,
      isStarted: wire.started_at !== null,
      isKilled: false,
      nextKillAt: 0,
      nextPollAt: now + this.timing.pollMinMs,
      pollMs: this.timing.pollMinMs,
      isPolling: false,
      fetching: Promise.resolve(),
      nextIdleAt: now + this.timing.idleMs,
      idleSince: null,
      lastPageAt: null,
    }
    peer.runs.set(keyOf(run), run)
    return run
  }

  /** The executor has the attempt, or may have it. It runs at once unless another of its job does: one after the other is all that executors do. */
  accepted(peer: Peer, run: XxlRun): void {
    const at = this.options.host.now()
    const { instanceId, attempt } = run
    if (!run.isAccepted) this.tell(peer.session, { type: 'accepted', instanceId, attempt, at })
    run.isAccepted = true
    const isFirst = [...peer.runs.values()].every(
      (other) => other === run || other.jobId !== run.jobId || other.lastPageAt !== null || !other.isStarted,
    )
    if (isFirst) this.started(peer, run)
  }

  started(peer: Peer, run: XxlRun): void {
    if (run.isStarted) return
    run.isStarted = true
    this.tell(peer.session, { type: 'started', instanceId: run.instanceId, attempt: run.attempt, at: this.options.host.now() })
  }

  /** The attempt has ended, as everybody knows: what is left is the rest of its log, and the next of its job begins. */
  ended(peer: Peer, run: XxlRun): void {
    if (run.lastPageAt !== null) return
    run.lastPageAt = performance.now() + this.timing.lastPageMs
    const next = [...peer.runs.values()].find(
      (other) => other.jobId === run.jobId && other.isAccepted && !other.isStarted && other.lastPageAt === null,
    )
    if (next !== undefined) this.started(peer, next)
  }

  /** What an executor is believed to run: not what it says it does not have. */
  running(peer: Peer): { instanceId: number; attempt: number }[] {
    const gone = performance.now() - this.timing.goneMs
    return [...peer.runs.values()]
      .filter((run) => run.lastPageAt === null && (run.idleSince === null || run.idleSince > gone))
      .map(({ instanceId, attempt }) => ({ instanceId, attempt }))
  }
}
