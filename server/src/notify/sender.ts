/*
 * Takes messages out of the outbox to where channels lead. Each node that fires does this; the claim in the store decides who sends which (store/deliveries.ts).
 * A turn claims what is due and gives each channel its own to work through, without waiting: a channel that does not answer holds up nobody but itself, and
 * while it is busy nothing more is claimed for it. Nothing here is waited for by the engine.
 */
import type { SendProblem } from '@tickwheel/contract'
import { digestOf, nextDeliveryTryMs, noticeOf, type AlarmMessage, type BucketLimit } from '@tickwheel/core'
import type { OpenChannel } from '../auth/stored-channel.ts'
import type { Buckets } from '../cluster/bucket.ts'
import type { Clock, Wake } from '../engine/clock.ts'
import { Pump } from '../engine/pump.ts'
import { channelsById } from '../store/alarm-channels.ts'
import type { Database } from '../store/database.ts'
import { claimDeliveries, settleDeliveries, type Settled, type SettledChannel } from '../store/deliveries.ts'
import type { AlarmChannelRow, DeliveryRow } from '../store/schema.ts'
import { readMessage } from './message-text.ts'
import type { SendOutcome } from './outcome.ts'
import type { Postman } from './postman.ts'

export interface SenderOptions {
  readonly db: Database
  readonly clock: Clock
  readonly buckets: Buckets
  readonly postman: Pick<Postman, 'send'>
  readonly openChannel: (row: AlarmChannelRow) => OpenChannel
  readonly publicUrl: string
  readonly random: () => number
  /** names this process; asked for once */
  readonly takeId: () => Promise<number>
  readonly onTrouble: (error: unknown) => void
}

const LOOK_EVERY_MS = 1_000
/** At most this many messages go one by one; of more that wait, one digest is made. */
const SINGLE_MOST = 3
/** Longer than a channel can take: three messages of 10 s, and what the store needs. */
const LEASE_MS = 90_000
const BUSY_MOST = 32
const POSTPONE_MS = 5_000

/** What vendors take: 20 a minute at DingTalk and WeCom, one a second at Slack, 100 a minute at Feishu. In all nodes together. */
const PACES: Readonly<Record<string, BucketLimit>> = {
  dingtalk: { capacity: 10, refillPerSecond: 15 / 60 },
  wecom: { capacity: 10, refillPerSecond: 15 / 60 },
  feishu: { capacity: 5, refillPerSecond: 1 },
  slack: { capacity: 5, refillPerSecond: 1 },
  email: { capacity: 20, refillPerSecond: 1 },
  webhook: { capacity: 50, refillPerSecond: 10 },
}
const SLOWEST: BucketLimit = { capacity: 10, refillPerSecond: 15 / 60 }

const AT_ONCE = { ms: 0, isSent: false } as const

interface Parcel {
  readonly rows: readonly DeliveryRow[]
  readonly message: AlarmMessage
}

export class Sender {
  readonly #options: SenderOptions
  readonly #pump: Pump
  readonly #busy = new Map<number, Promise<void>>()
  #by: number | null = null
  #wake: Wake | null = null
  #isStopped = false

  constructor(options: SenderOptions) {
    this.#options = options
    this.#pump = new Pump(options, async () => this.#turn())
  }

  start(): void {
    this.#later()
  }

  /** There may be something to send. */
  kick(): void {
    this.#pump.kick()
  }

  /** Until nothing is being sent. */
  async idle(): Promise<void> {
    do {
      await this.#pump.idle()
      await Promise.all(this.#busy.values())
    } while (this.#pump.isBusy || this.#busy.size > 0)
  }

  /** Claims nothing more. Messages that are being sent are waited for, 10 s at most by the limits of the postman; what is left is due again at once, for other nodes. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake?.cancel()
    await this.#pump.stop()
    await Promise.all(this.#busy.values())
  }

  #later(): void {
    if (this.#isStopped) return
    this.#wake = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#pump.kick()
      this.#later()
    })
  }

  async #turn(): Promise<boolean> {
    const { db, clock, takeId } = this.#options
    if (this.#isStopped || this.#busy.size >= BUSY_MOST) return false
    this.#by ??= await takeId()
    const now = clock.now()
    const rows = await claimDeliveries(db, { now, by: this.#by, until: now + LEASE_MS, busy: [...this.#busy.keys()] })
    for (const [channelId, mine] of Map.groupBy(rows, (row) => row.channel_id)) this.#begin(channelId, mine)
    return rows.length > 0
  }

  #begin(channelId: number, rows: readonly DeliveryRow[]): void {
    const work = this.#work(channelId, rows)
      .catch((error: unknown) => this.#options.onTrouble(error))
      .finally(() => {
        this.#busy.delete(channelId)
        this.#pump.kick()
      })
    this.#busy.set(channelId, work)
  }

  async #work(channelId: number, rows: readonly DeliveryRow[]): Promise<void> {
    const channel = (await channelsById(this.#options.db, [channelId])).get(channelId)
    const settle = async (settled: Settled, some: readonly DeliveryRow[] = rows): Promise<void> =>
      this.#settle(settledChannel(channelId, channel), some, settled)
    if (channel === undefined) return settle({ kind: 'dropped', error: problemText('channelGone', '') })
    if (channel.enabled === 0) return settle({ kind: 'dropped', error: problemText('channelOff', '') })
    const parcels = this.#parcelsOf(channel, rows)
    const unsent = rows.filter((row) => !parcels.some((parcel) => parcel.rows.includes(row)))
    if (unsent.length > 0) await settle({ kind: 'dropped', error: problemText('ownTrouble', '') }, unsent)
    await this.#sendAll(channel, parcels)
  }

  /** Messages that are readable and not about this very channel: what it cannot deliver is told by others. */
  #parcelsOf(channel: AlarmChannelRow, rows: readonly DeliveryRow[]): Parcel[] {
    const parcels = rows.flatMap((row): Parcel[] => {
      const message = readMessage(row.body)
      return message === null || isOwnTrouble(message, channel.id) ? [] : [{ rows: [row], message }]
    })
    const [first, ...others] = parcels
    if (first === undefined || parcels.length <= SINGLE_MOST) return parcels
    const message = digestOf([first.message, ...others.map((parcel) => parcel.message)])
    return [{ rows: parcels.flatMap((parcel) => parcel.rows), message }]
  }

  /** One after the other. When the channel rests or does not answer, what is left waits without costing it a try. */
  async #sendAll(channel: AlarmChannelRow, parcels: readonly Parcel[]): Promise<void> {
    for (const [index, parcel] of parcels.entries()) {
      const waitMs = this.#isStopped ? AT_ONCE : ((await this.#mayNotYet(channel)) ?? (await this.#sendOne(channel, parcel)))
      if (waitMs === null) continue
      const left = parcels.slice(waitMs.isSent ? index + 1 : index).flatMap(({ rows }) => rows)
      if (left.length > 0)
        await this.#settle(settledChannel(channel.id, channel), left, { kind: 'postponed', at: this.#options.clock.now() + waitMs.ms })
      return
    }
  }

  async #mayNotYet({ id, kind }: AlarmChannelRow): Promise<{ readonly ms: number; readonly isSent: false } | null> {
    const { allowed, retryAfterMs } = await this.#options.buckets.take(`alarm channel ${id}`, PACES[kind] ?? SLOWEST)
    return allowed ? null : { ms: Math.max(retryAfterMs, LOOK_EVERY_MS), isSent: false }
  }

  /** null: it arrived, or others may be tried at once; else how long those that follow should wait. */
  async #sendOne(channel: AlarmChannelRow, { rows, message }: Parcel): Promise<{ ms: number; isSent: true } | null> {
    const { clock, random } = this.#options
    const outcome = await this.#send(channel, { rows, message })
    if (outcome.kind === 'sent') {
      await this.#settle(settledChannel(channel.id, channel), rows, { kind: 'sent' })
      return null
    }
    const problem: SendProblem = { code: outcome.code, answer: outcome.answer }
    const error = JSON.stringify(problem)
    const { isRejected, retryAfterMs } = outcome
    for (const [tries, some] of Map.groupBy(rows, (row) => row.tries + 1)) {
      const waitMs = nextDeliveryTryMs({ tries, isRejected, retryAfterMs, random: random() })
      // an alarm about a channel that cannot be reached raises no further one
      const raise = message.event !== 'undeliverable'
      const settled: Settled = waitMs === null ? { kind: 'failed', error, raise } : { kind: 'retry', at: clock.now() + waitMs, error }
      await this.#settle(settledChannel(channel.id, channel), some, settled)
    }
    return isRejected ? null : { ms: Math.max(retryAfterMs ?? 0, POSTPONE_MS), isSent: true }
  }

  async #send(channel: AlarmChannelRow, { rows, message }: Parcel): Promise<SendOutcome> {
    const { settings, language, timezone, template } = this.#options.openChannel(channel)
    if (settings === null) return { kind: 'failed', code: 'sealed', answer: '', isRejected: true, retryAfterMs: null }
    const notice = noticeOf(message, { language, timezone, template, publicUrl: this.#options.publicUrl })
    return this.#options.postman.send(settings, { id: String(rows[0]?.id ?? 0), message, notice, at: this.#options.clock.now() })
  }

  async #settle(channel: SettledChannel, rows: readonly DeliveryRow[], settled: Settled): Promise<void> {
    await settleDeliveries(this.#options.db, { channel, rows, settled, now: this.#options.clock.now() })
  }
}

function isOwnTrouble({ event, target }: AlarmMessage, channelId: number): boolean {
  return event === 'undeliverable' && target?.kind === 'channel' && target.id === channelId
}

function settledChannel(id: number, channel: AlarmChannelRow | undefined): SettledChannel {
  return { id, name: channel?.name ?? '', groupId: channel?.group_id ?? null }
}

function problemText(code: SendProblem['code'], answer: string): string {
  return JSON.stringify({ code, answer } satisfies SendProblem)
}
