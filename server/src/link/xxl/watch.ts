import { openRunsById } from '../../store/open-runs.ts'
import { readLogPage } from './log-page.ts'
import { keyOf, type Peer, type XxlRun } from './peer.ts'
import type { Shared } from './shared.ts'

export interface WatchOptions {
  readonly shared: Shared
  readonly kill: (peer: Peer, run: XxlRun) => Promise<void>
  readonly link: (peer: Peer) => Promise<void>
  readonly leave: (peer: Peer) => Promise<void>
}

/** Looks after what executors have: fetches logs, notices runs that have ended or are not there, ends those that are over their time, asks who was silent. */
export class Watch {
  readonly #options: WatchOptions
  #timer: NodeJS.Timeout | null = null
  #nextLookAt = 0
  #isLooking = false

  constructor(options: WatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#options.shared.timing.tickMs)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await Promise.all([...this.#options.shared.peers.values()].map((peer) => peer.polls.idle()))
  }

  #tick(): void {
    const { shared } = this.#options
    const now = performance.now()
    for (const peer of shared.peers.values()) {
      this.#lookAfter(peer, now)
      for (const run of peer.runs.values()) this.#lookAt(peer, run, now)
    }
    if (now >= this.#nextLookAt && !this.#isLooking) void this.#compare()
  }

  #lookAfter(peer: Peer, now: number): void {
    const { timing } = this.#options.shared
    if (peer.isLinked) return
    if (peer.runs.size === 0 && (peer.isGone || now - peer.heardAt > timing.deadMs)) return this.#follow(this.#options.leave(peer), peer)
    if (!peer.isGone && now >= peer.nextProbeAt) this.#follow(this.#options.link(peer), peer)
  }

  #lookAt(peer: Peer, run: XxlRun, now: number): void {
    const { shared } = this.#options
    if (run.lastPageAt !== null) {
      if (now >= run.lastPageAt && !run.isPolling) this.#poll(peer, run, () => this.#lastPage(peer, run))
      return
    }
    if (run.isAccepted && now >= run.nextPollAt && !run.isPolling && !run.log.isFull)
      this.#poll(peer, run, async () => void (await this.#page(peer, run)))
    if (run.isAccepted && now >= run.nextIdleAt) this.#follow(this.#ask(peer, run), peer)
    const since = shared.options.host.now() - run.logAt
    if (run.timeoutMs > 0 && !run.isKilled && since > run.timeoutMs + shared.timing.overtimeMs)
      this.#follow(this.#options.kill(peer, run), peer)
  }

  #poll(peer: Peer, run: XxlRun, work: () => Promise<void>): void {
    if (peer.polls.isFull) return
    run.isPolling = true
    const done = peer.polls.do(work).finally(() => {
      run.isPolling = false
      run.nextPollAt = performance.now() + run.pollMs
    })
    this.#follow(done, peer)
  }

  /** Fetches what a log holds by now. What is printed meanwhile is on the next page. */
  async rest(peer: Peer, run: XxlRun): Promise<void> {
    for (let pages = 0; pages < 3 && !run.log.isFull && (await this.#page(peer, run)); pages += 1);
  }

  /** Fetches what is new. True: there was something. */
  async #page(peer: Peer, run: XxlRun): Promise<boolean> {
    const fetched = run.fetching.then(() => this.#fetch(peer, run))
    run.fetching = fetched.catch(() => undefined)
    return fetched
  }

  async #fetch(peer: Peer, run: XxlRun): Promise<boolean> {
    const { shared } = this.#options
    const { timing } = shared
    const reply = await peer.log(run, run.log.fromLine)
    if (reply === 'tooLong') {
      await shared.say(peer.session, { type: 'log', instanceId: run.instanceId, attempt: run.attempt, ...run.log.giveUp() })
      return false
    }
    const page = reply === null ? null : readLogPage(reply, run.log.fromLine)
    run.pollMs = page === null ? Math.min(timing.pollMaxMs, run.pollMs * 1.5) : timing.pollMinMs
    if (page === null) return false
    if (run.lastPageAt === null) shared.started(peer, run)
    const { instanceId, attempt } = run
    for (const chunk of run.log.take(page, shared.options.host.now()))
      await shared.say(peer.session, { type: 'log', instanceId, attempt, ...chunk })
    return true
  }

  /** The rest of the log of a run that has ended, and that it is the rest. */
  async #lastPage(peer: Peer, run: XxlRun): Promise<void> {
    const { shared } = this.#options
    await this.rest(peer, run)
    const { instanceId, attempt } = run
    peer.runs.delete(keyOf(run))
    await shared.say(peer.session, { type: 'logEnd', instanceId, attempt, ...run.log.end() })
  }

  /** Does the executor have anything of the job at all? One that restarted at the same address does not say that it lost its runs. */
  async #ask(peer: Peer, run: XxlRun): Promise<void> {
    const { timing } = this.#options.shared
    run.nextIdleAt = performance.now() + timing.idleMs
    const isIdle = await peer.isIdle(run.jobId)
    if (isIdle === true) run.idleSince ??= performance.now()
    else run.idleSince = null
  }

  /** Runs that have ended without the executor: canceled unconfirmed, over their time, lost; or by a result that another node took. */
  async #compare(): Promise<void> {
    const { shared } = this.#options
    this.#isLooking = true
    try {
      const open = [...shared.peers.values()].flatMap((peer) =>
        [...peer.runs.values()].filter((run) => run.lastPageAt === null).map((run) => ({ peer, run })),
      )
      if (open.length === 0) return
      const rows = new Map(
        (
          await openRunsById(
            shared.options.db,
            open.map(({ run }) => run.instanceId),
          )
        ).map((row) => [row.id, row]),
      )
      for (const { peer, run } of open) {
        const row = rows.get(run.instanceId)
        const isHere = row?.attempt === run.attempt && row.executor_id === peer.session.executorId && row.boot_id === peer.session.bootId
        if (!isHere) shared.ended(peer, run)
      }
    } catch (error) {
      shared.options.log.warn({ err: error }, 'runs at XXL-JOB executors could not be compared with the store')
    } finally {
      this.#isLooking = false
      this.#nextLookAt = performance.now() + shared.timing.lookMs
    }
  }

  #follow(work: Promise<void>, peer: Peer): void {
    work.catch((error: unknown) =>
      this.#options.shared.options.log.warn(
        { executorId: peer.session.executorId, err: error },
        'an XXL-JOB executor could not be looked after',
      ),
    )
  }
}
