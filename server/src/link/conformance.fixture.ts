/** What every way to reach executors must do, whatever its wire: run by each adapter's test with a peer that speaks that wire. */
import type { Dispatch, ExecutorFrame, Finished, RunningAttempt, Verdict } from '@tickwheel/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BeatAnswer, HeardAnswer, JoinAnswer, Link, LinkHost, Order, Report, Session } from './link.ts'

/** A report before it has a number. */
export type Said = ExecutorFrame extends infer Frame ? (Frame extends { n: number } ? Omit<Frame, 'n'> : never) : never

/** One process that runs tasks, as the wire of the adapter has it. */
export interface Peer {
  readonly orders: readonly Order[]
  readonly drains: readonly boolean[]
  /** resolves to why the adapter does not want it, or null when it is welcome */
  join(session: Session, running?: readonly RunningAttempt[]): Promise<Refusal | null>
  /** resolves when the verdict has come */
  report(said: Said): Promise<Verdict>
  beat(running?: readonly RunningAttempt[]): Promise<BeatAnswer>
  /** resolves when it holds */
  until(isMet: () => boolean): Promise<void>
  /** resolves when the adapter ends the session: at once over a connection, else when the peer calls next; never over a wire that does not tell */
  readonly ended: Promise<Refusal>
  /** its connection breaks; without one, it is just silent */
  leave(): void
  /** it takes orders and answers none; a wire on which orders have no answer has no such thing */
  isSilent?: boolean
}

export type Refusal = 'sessionUnknown' | 'superseded' | 'storeAway' | 'leaving' | 'protocol' | 'other'

/**
 * What executors can say and hear over a wire. Where they cannot, the suite holds the adapter to what must be true all the same:
 * nothing runs twice, no result is lost or taken for another's, and what cannot be brought goes elsewhere.
 */
export interface Can {
  /** name runs by instance and attempt, also such as they were not given here; else by a number that comes with the dispatch */
  readonly nameRuns: boolean
  /** say that a run has begun, how far it is, that it was stopped, and results of any size; else that it ended, and a text */
  readonly sayMore: boolean
  /** hear why they are not wanted, verdicts, and what the answer to a heartbeat asks; else whether a call was taken */
  readonly hearMore: boolean
  /** refuse a run that they have, or had */
  readonly refuseRepeats: boolean
  /** tell their boot: an older process stands beside a newer and can hear that it is superseded */
  readonly tellBoot: boolean
}

const EVERYTHING: Can = { nameRuns: true, sayMore: true, hearMore: true, refuseRepeats: true, tellBoot: true }

export interface LinkHarness {
  readonly link: Link
  connect(): Promise<Peer>
  /** the node leaves */
  close(): Promise<void>
}

/** An engine that says what the test wants and notes what it hears. */
export class FakeHost implements LinkHost {
  readonly heard: string[] = []
  readonly reports: Report[] = []
  beats = 0
  /** what the last heartbeat said that runs there */
  named: readonly RunningAttempt[] = []
  joinAnswer: ((session: Session) => JoinAnswer) | null = null
  beatAnswer: BeatAnswer = { store: 'ok', cancel: [], unknown: [] }
  verdict: Verdict | null = 'done'
  /** reports wait here until the test opens it: the commit */
  commit: Promise<unknown> = Promise.resolve()
  clock = 1_700_000_000_000
  #waiters: { isMet: () => boolean; resolve: () => void }[] = []

  join(hello: { executorId: number; bootId: number }): Promise<JoinAnswer> {
    const session = { executorId: hello.executorId, bootId: hello.bootId }
    this.#hear(`join ${String(hello.executorId)}/${String(hello.bootId)}`)
    return Promise.resolve(this.joinAnswer?.(session) ?? { kind: 'welcome', session, heartbeatMs: 5_000, deadMs: 15_000, draining: false })
  }

  joined(session: Session): void {
    this.#hear(`joined ${String(session.executorId)}/${String(session.bootId)}`)
  }

  left(session: Session): void {
    this.#hear(`left ${String(session.executorId)}/${String(session.bootId)}`)
  }

  /** as whoever sends to the executor has it */
  link: 'here' | 'elsewhere' | 'nobody' = 'here'

  gone(session: Session): Promise<void> {
    this.#hear(`gone ${String(session.executorId)}/${String(session.bootId)}`)
    return Promise.resolve()
  }

  hear(_session: Session, { running }: { running: readonly RunningAttempt[] }): Promise<HeardAnswer> {
    this.named = running
    this.beats += 1
    this.#notice()
    const { store, cancel, unknown } = this.beatAnswer
    return Promise.resolve(store === 'away' ? { kind: 'storeAway' } : { kind: 'heard', link: this.link, cancel, unknown })
  }

  beat(_session: Session, { running }: { running: readonly RunningAttempt[] }): Promise<BeatAnswer> {
    this.named = running
    this.beats += 1
    this.#notice()
    return Promise.resolve(this.beatAnswer)
  }

  async report(_session: Session, report: Report): Promise<Verdict | null> {
    this.reports.push(report)
    this.#hear(report.type)
    await this.commit
    return this.verdict
  }

  now(): number {
    return this.clock
  }

  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }))
  }

  #hear(what: string): void {
    this.heard.push(what)
    this.#notice()
  }

  #notice(): void {
    const met = this.#waiters.filter((waiter) => waiter.isMet())
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const waiter of met) waiter.resolve()
  }
}

/** A dispatch as the engine sends it. */
export function dispatchOf(instanceId: number, session: Session, more: Partial<Dispatch> = {}): Dispatch {
  return {
    type: 'dispatch',
    instanceId,
    attempt: 1,
    bootId: session.bootId,
    at: Date.now(),
    task: { id: 1, name: 'task', groupId: 1, groupName: 'group' },
    handler: { kind: 'shell', script: 'true' },
    params: '',
    scheduledAt: null,
    firedAt: Date.now(),
    timeoutMs: 0,
    killGraceMs: 1_000,
    logLimitBytes: 67_108_864,
    movable: false,
    ...more,
  }
}

const one: Session = { executorId: 1, bootId: 10 }
const started = (instanceId: number, attempt = 1): Said => ({ type: 'started', instanceId, attempt, at: 1_700_000_000_000 })
const finished = (instanceId: number, more: Partial<Finished> = {}): Said => ({
  type: 'finished',
  instanceId,
  attempt: 1,
  at: 1,
  startedAt: 1,
  bootId: 10,
  outcome: 'succeeded',
  ...more,
})
const cancelOf = (instanceId: number): Order => ({ type: 'cancel', instanceId, attempt: 1, bootId: 10, at: 1 })

type Make = (host: LinkHost) => Promise<LinkHarness>

/** Starts an adapter for each test. */
function stage(make: Make): { host: () => FakeHost; harness: () => LinkHarness; joined: (session?: Session) => Promise<Peer> } {
  let host: FakeHost
  let harness: LinkHarness
  beforeEach(async () => {
    host = new FakeHost()
    harness = await make(host)
  })
  afterEach(() => harness.close())
  return {
    host: () => host,
    harness: () => harness,
    joined: async (session = one) => {
      const peer = await harness.connect()
      expect(await peer.join(session)).toBeNull()
      return peer
    },
  }
}

/** Describes the conformance of any adapter. `make` starts it over a host, ready for peers to come; `can`: what they can say and hear, everything unless told. */
export function describeLink(name: string, make: Make, can: Can = EVERYTHING): void {
  describe(`${name} as a link`, () => {
    const { host: hostNow, harness: harnessNow, joined } = stage(make)
    let host: FakeHost
    let harness: LinkHarness
    beforeEach(() => {
      host = hostNow()
      harness = harnessNow()
    })
    /** A report that any peer can make. */
    const said = (instanceId: number, attempt = 1): Said => (can.sayMore ? started(instanceId, attempt) : finished(instanceId, { attempt }))
    const accepted = (instanceId: number): Promise<void> =>
      host.until(() => host.reports.some((report) => report.type === 'accepted' && report.instanceId === instanceId))

    /** A peer with runs that it may report. What the adapter says of them by itself is passed over. */
    async function holding(...instanceIds: number[]): Promise<Peer> {
      const peer = await joined()
      if (can.nameRuns) return peer
      expect(
        harness.link.send(
          one,
          instanceIds.map((instanceId) => dispatchOf(instanceId, one)),
        ),
      ).toBe('sent')
      await Promise.all(instanceIds.map(accepted))
      host.reports.length = 0
      return peer
    }

    it.each(['sessionUnknown', 'superseded', 'storeAway'] as const)('passes a refusal on: %s', async (kind) => {
      host.joinAnswer = () => ({ kind })
      const peer = await harness.connect()
      expect(await peer.join(one)).toBe(can.hearMore ? kind : 'other')
      expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('absent')
    })

    it('brings orders to the boot they are for, and to no other', async () => {
      const peer = await joined()
      expect(harness.link.send({ ...one, bootId: 9 }, [dispatchOf(1, one)])).toBe('absent')
      expect(harness.link.send({ ...one, executorId: 2 }, [dispatchOf(1, one)])).toBe('absent')
      if (can.nameRuns) expect(harness.link.send(one, [dispatchOf(2, one), cancelOf(2)])).toBe('sent')
      else {
        expect(harness.link.send(one, [dispatchOf(2, one)])).toBe('sent')
        await accepted(2)
        expect(harness.link.send(one, [cancelOf(2)])).toBe('sent')
      }
      await peer.until(() => peer.orders.length === 2)
      expect(peer.orders).toMatchObject([
        { type: 'dispatch', instanceId: 2 },
        { type: 'cancel', instanceId: 2 },
      ])
    })

    it('brings a thousand orders with long scripts', async () => {
      const peer = await joined()
      const script = `#${'x'.repeat(3_000)}`
      const orders = Array.from({ length: 1_000 }, (_, place) => dispatchOf(place + 1, one, { handler: { kind: 'shell', script } }))
      expect(harness.link.send(one, orders)).toBe('sent')
      await peer.until(() => peer.orders.length === 1_000)
      expect(peer.orders.map((order) => order.instanceId).sort((a, b) => a - b)).toEqual(orders.map((order) => order.instanceId))
    })

    it('says full instead of keeping more than its buffer holds', async () => {
      await joined()
      const script = `#${'x'.repeat(200_000)}`
      const orderOf = (instanceId: number): Order => dispatchOf(instanceId, one, { handler: { kind: 'shell', script } })
      const answers = Array.from({ length: 100 }, (_, place) => harness.link.send(one, [orderOf(place + 1)]))
      expect(answers[0]).toBe('sent')
      expect(answers.at(-1)).toBe('full')
    })

    it('gives back what it cannot bring: it says so of the run, or that nobody is there', async () => {
      const peer = await joined()
      peer.leave()
      harness.link.send(one, [dispatchOf(1, one)])
      await host.until(() => host.heard.includes('left 1/10') || host.heard.includes('rejected'))
      const isRejected = host.heard.includes('rejected')
      expect(host.reports).toMatchObject(isRejected ? [{ type: 'rejected', instanceId: 1, attempt: 1 }] : [])
      if (!isRejected) expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('absent')
    })

    it('acknowledges a report after the commit, never before', async () => {
      const peer = await holding(1)
      const commit = Promise.withResolvers<null>()
      host.commit = commit.promise
      let verdict: Verdict | null = null
      const told = peer.report(said(1)).then((given) => (verdict = given))
      await host.until(() => host.reports.length === 1)
      // an answer to a heartbeat overtakes it: the acknowledgement is not on its way
      await peer.beat()
      expect(verdict).toBeNull()
      commit.resolve(null)
      expect(await told).toBe('done')
    })

    it.each(['already', 'stale', 'unknown'] as const)('passes the verdict %s on, or that the report is taken', async (verdict) => {
      const peer = await holding(1)
      host.verdict = verdict
      expect(await peer.report(said(1))).toBe(can.hearMore ? verdict : 'done')
    })

    it('passes a report on as often as it comes, and acknowledges it each time', async () => {
      const peer = await holding(1)
      expect(await peer.report(said(1))).toBe('done')
      host.verdict = 'already'
      expect(await peer.report(said(1))).toBe(can.hearMore ? 'already' : 'done')
      expect(host.reports).toMatchObject(Array.from({ length: 2 }, () => ({ type: said(1).type, instanceId: 1, attempt: 1 })))
    })

    it('names the attempt that a report is of, also when a newer one is there', async () => {
      const peer = await holding(1)
      harness.link.send(one, [dispatchOf(1, one, { attempt: 2 })])
      await peer.until(() => peer.orders.some((order) => order.attempt === 2))
      expect(await peer.report(said(1, 1))).toBe('done')
      expect(await peer.report(said(1, 2))).toBe('done')
      expect(host.reports.filter((report) => report.type === said(1).type)).toMatchObject([{ attempt: 1 }, { attempt: 2 }])
    })

    it('passes the end of a run that was to be stopped on as canceled', async () => {
      const peer = await holding(1)
      harness.link.send(one, [cancelOf(1)])
      await peer.until(() => peer.orders.some((order) => order.type === 'cancel'))
      expect(await peer.report(finished(1, { outcome: can.sayMore ? 'canceled' : 'succeeded' }))).toBe('done')
      expect(host.reports).toMatchObject([{ type: 'finished', instanceId: 1, outcome: 'canceled' }])
    })

    it('keeps a report that the store could not take and offers it again when the store is back', async () => {
      const peer = await holding(1)
      host.verdict = null
      host.beatAnswer = { store: 'away', cancel: [], unknown: [] }
      const told = peer.report(said(1))
      await host.until(() => host.reports.length === 1)
      expect((await peer.beat()).store).toBe('away')
      host.verdict = 'done'
      host.beatAnswer = { store: 'ok', cancel: [], unknown: [] }
      await peer.beat()
      expect(await told).toBe('done')
      expect(host.reports.every((report) => report.type === said(1).type && 'instanceId' in report && report.instanceId === 1)).toBe(true)
    })

    it('calls a report that can never be valid bad, or takes it without passing it on, and goes on', async () => {
      const peer = await holding(1)
      // no attempt of this run was ever sent
      const invalid: Said = can.sayMore ? { type: 'progress', instanceId: 1, attempt: 1, at: 1, value: 7, text: '' } : finished(999)
      expect(await peer.report(invalid)).toBe(can.hearMore ? 'bad' : 'done')
      expect(host.reports).toEqual([])
      expect(await peer.report(said(1))).toBe('done')
      expect(host.reports).toHaveLength(1)
    })

    it('makes a result that is too large a failure, or cuts it where it is but a text', async () => {
      const peer = await holding(1)
      await peer.report(finished(1, { result: 'x'.repeat(70_000) }))
      if (can.sayMore) {
        expect(host.reports).toMatchObject([{ outcome: 'failed', error: { code: 'RESULT_TOO_LARGE' } }])
        expect(host.reports[0]).not.toHaveProperty('result')
      } else {
        expect(host.reports).toMatchObject([{ outcome: 'succeeded', result: expect.stringMatching(/^x{1,65534}$/) as string }])
      }
    })

    it('says with a heartbeat what runs there', async () => {
      const peer = await holding(1)
      await peer.beat([{ instanceId: 1, attempt: 1 }])
      expect(host.named).toEqual([{ instanceId: 1, attempt: 1 }])
    })

    it('tells when a session has been welcomed: what is sent then comes after the welcome', async () => {
      host.joined = (session) => void harness.link.send(session, [dispatchOf(8, session)])
      const peer = await joined()
      await peer.until(() => peer.orders.length === 1)
      expect(peer.orders).toMatchObject([{ instanceId: 8 }])
    })

    it('sends to the newer boot when one has joined, and nothing to the older', async () => {
      const older = await joined()
      const newer = await joined({ ...one, bootId: 11 })
      expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('absent')
      expect(harness.link.send({ ...one, bootId: 11 }, [dispatchOf(2, { ...one, bootId: 11 })])).toBe('sent')
      await newer.until(() => newer.orders.length === 1)
      expect(newer.orders).toMatchObject([{ instanceId: 2, bootId: 11 }])
      expect(older.orders).toEqual([])
    })

    it('reads nothing while it is paused, and everything afterwards', async () => {
      const peer = await holding(1, 2)
      harness.link.pause()
      const told = [peer.report(said(1)), peer.report(said(2))]
      harness.link.resume()
      expect(await Promise.all(told)).toEqual(['done', 'done'])
    })

    if (can.hearMore)
      it('answers a heartbeat with what is to be canceled and what is unknown', async () => {
        const peer = await joined()
        host.beatAnswer = { store: 'ok', cancel: [{ instanceId: 1, attempt: 2 }], unknown: [{ instanceId: 3, attempt: 4 }] }
        expect(await peer.beat([{ instanceId: 1, attempt: 2 }])).toEqual(host.beatAnswer)
      })
    else {
      it('leaves a run alone that the answer to a heartbeat calls unknown', async () => {
        const peer = await holding(1)
        host.beatAnswer = { store: 'ok', cancel: [], unknown: [{ instanceId: 1, attempt: 1 }] }
        await peer.beat()
        await peer.beat()
        expect(host.named).toEqual([])
        harness.link.send(one, [cancelOf(1), dispatchOf(2, one)])
        await accepted(2)
        await harness.close()
        expect(peer.orders.map((order) => order.type)).toEqual(['dispatch', 'dispatch'])
      })

      it('joins by itself when the store is back', async () => {
        host.joinAnswer = () => ({ kind: 'storeAway' })
        const peer = await harness.connect()
        await peer.join(one)
        host.joinAnswer = null
        await host.until(() => host.heard.includes('joined 1/10'))
        expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('sent')
        await peer.until(() => peer.orders.length === 1)
      })
    }

    if (can.tellBoot)
      it('ends an older boot as superseded when a newer one joins', async () => {
        const older = await joined()
        await joined({ ...one, bootId: 11 })
        expect(await older.ended).toBe('superseded')
        expect(host.heard).toEqual(['join 1/10', 'joined 1/10', 'join 1/11', 'joined 1/11'])
        expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('absent')
      })

    if (can.refuseRepeats)
      it('brings a dispatch again when it is sent again', async () => {
        const peer = await joined()
        while (peer.orders.length < 2) {
          harness.link.send(one, [dispatchOf(1, one)])
          await new Promise(setImmediate)
        }
        expect(peer.orders.slice(0, 2)).toMatchObject([{ instanceId: 1 }, { instanceId: 1 }])
      })
    else
      it.each([
        ['answers', false],
        ['does not answer', true],
      ])('brings a dispatch once, however often it is sent, to an executor that %s', async (_what, isSilent) => {
        const peer = await joined()
        peer.isSilent = isSilent
        harness.link.send(one, [dispatchOf(1, one), dispatchOf(1, one)])
        await peer.until(() => peer.orders.length === 1)
        harness.link.send(one, [dispatchOf(1, one)])
        await accepted(1)
        harness.link.send(one, [dispatchOf(1, one)])
        peer.isSilent = false
        // as a later process of the node finds it, or another node
        harness.link.end(one, 'sessionEnded')
        host.link = 'nobody'
        await peer.beat()
        await host.until(() => host.heard.filter((what) => what === 'joined 1/10').length === 2)
        expect(harness.link.send(one, [dispatchOf(1, one), dispatchOf(2, one)])).toBe('sent')
        await accepted(2)
        // it may have had it all along: its result counts
        expect(await peer.report(finished(1))).toBe('done')
        harness.link.send(one, [dispatchOf(1, one), dispatchOf(3, one)])
        await accepted(3)
        await harness.close()
        expect(peer.orders.map((order) => order.instanceId)).toEqual([1, 2, 3])
        expect(host.reports.filter((report) => report.type === 'finished')).toMatchObject([{ instanceId: 1, attempt: 1 }])
      })
  })
}

/** What an adapter promises besides whose executors hold a connection: order, and both sides notice its end. */
export function describeConnection(name: string, make: Make): void {
  describe(`${name} as a connection`, () => {
    const { host: hostNow, harness: harnessNow, joined } = stage(make)
    let host: FakeHost
    let harness: LinkHarness
    beforeEach(() => {
      host = hostNow()
      harness = harnessNow()
    })

    it('brings a thousand orders in order', async () => {
      const peer = await joined()
      const script = `#${'x'.repeat(3_000)}`
      const orders = Array.from({ length: 1_000 }, (_, place) => dispatchOf(place + 1, one, { handler: { kind: 'shell', script } }))
      expect(harness.link.send(one, orders)).toBe('sent')
      await peer.until(() => peer.orders.length === 1_000)
      expect(peer.orders.map((order) => order.instanceId)).toEqual(orders.map((order) => order.instanceId))
    })

    it('tells when a connection is gone', async () => {
      const peer = await joined()
      peer.leave()
      await host.until(() => host.heard.includes('left 1/10'))
      expect(harness.link.send(one, [dispatchOf(1, one)])).toBe('absent')
    })

    it('takes a later connection of the same boot for the same session', async () => {
      const earlier = await joined()
      const later = await joined()
      await earlier.ended
      harness.link.send(one, [dispatchOf(5, one)])
      await later.until(() => later.orders.length === 1)
      expect(host.heard).toEqual(['join 1/10', 'joined 1/10', 'join 1/10', 'joined 1/10'])
    })

    it('ends a session when the engine says so', async () => {
      const peer = await joined()
      harness.link.end(one, 'sessionEnded')
      expect(await peer.ended).toBe('sessionUnknown')
    })

    it('passes a drain on', async () => {
      const peer = await joined()
      harness.link.drain(one, true)
      harness.link.drain(one, false)
      await peer.until(() => peer.drains.length === 2)
      expect(peer.drains).toEqual([true, false])
    })

    it('tells executors to go elsewhere when the node leaves', async () => {
      const peer = await joined()
      const told = peer.report(started(1))
      await host.until(() => host.reports.length === 1)
      await harness.close()
      expect(await peer.ended).toBe('leaving')
      expect(await told).toBe('done')
    })
  })
}
