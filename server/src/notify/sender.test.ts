import type { AlarmChannelCreate } from '@tickwheel/contract'
import { ALARM_EVENT, DELIVERY_STATE, RuleIndex, sampleMessage, type AlarmMessage } from '@tickwheel/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { columnsOfChannel, openChannel, type Seal } from '../auth/stored-channel.ts'
import { MemoryBuckets } from '../cluster/memory/bucket.ts'
import { ManualClock } from '../engine/manual-clock.fixture.ts'
import { createChannel, updateChannel } from '../store/alarm-channels.ts'
import { query, type Database } from '../store/database.ts'
import { claimDeliveries, listDeliveries, retryDelivery, settleDeliveries } from '../store/deliveries.ts'
import type { AlarmChannelRow, DeliveryRow } from '../store/schema.ts'
import { addGroup, changeAt, memoryStore, T0 } from '../store/store.fixture.ts'
import type { Letter } from './letter.ts'
import { failed, sent, type SendOutcome } from './outcome.ts'
import { Sender } from './sender.ts'

const seal: Seal = { seal: (text) => `sealed ${text}`, open: (text) => text.replace(/^sealed /, '') }
let db: Database
let clock: ManualClock
let letters: { url: string; letter: Letter }[]
let answer: (letter: Letter, url: string) => Promise<SendOutcome> | SendOutcome

beforeEach(async () => {
  clock = new ManualClock(T0)
  db = await memoryStore(() => clock.now())
  await addGroup(db, 1)
  await db.write(
    'rest',
    async (tx) => void (tx.watch.rules = new RuleIndex([{ id: 7, groupId: null, taskIds: [], conditions: [{ event: 'undeliverable' }] }])),
  )
  letters = []
  answer = () => sent('ok')
})

function makeSender(id = 900): Sender {
  const sender = new Sender({
    db,
    clock,
    buckets: new MemoryBuckets(() => clock.monotonic()),
    postman: {
      send: async (settings, letter) => {
        const url = settings.kind === 'email' ? settings.host : settings.url
        letters.push({ url, letter })
        return answer(letter, url)
      },
    },
    openChannel: (row: AlarmChannelRow) => openChannel(row, seal),
    publicUrl: '',
    random: () => 0.5,
    takeId: async () => id,
    onTrouble: (error) => {
      throw error
    },
  })
  return sender
}

async function channel(name: string, more: Partial<AlarmChannelCreate> = {}): Promise<number> {
  const settings = { kind: 'webhook', url: `https://${name}.example/`, secret: 'x', headers: {} } as const
  const input: AlarmChannelCreate = { name, groupId: 1, settings, language: 'en', ...more }
  const columns = columnsOfChannel(input, input.settings, seal)
  const fields = { name, groupId: 1, enabled: input.enabled ?? true, ...columns, shown: {} }
  return (await createChannel(db, { fields }, changeAt(T0))).channelId
}

let lastId = 5_000
async function deliver(channelId: number, more: Partial<AlarmMessage> = {}): Promise<number> {
  lastId += 1
  const message: AlarmMessage = { ...sampleMessage('opened', 'failed', T0), incidentId: lastId, ...more }
  const row: DeliveryRow = {
    id: lastId,
    incident_id: message.incidentId,
    rule_id: 7,
    channel_id: channelId,
    group_id: 1,
    kind: message.kind,
    event: ALARM_EVENT[message.event],
    body: JSON.stringify(message),
    state: DELIVERY_STATE.waiting,
    tries: 0,
    created_at: clock.now(),
    next_try_at: clock.now(),
    claimed_by: null,
    claimed_until: null,
    ended_at: null,
    error: null,
  }
  await db.write('rest', (tx) => tx.insert('delivery', [row]))
  return row.id
}

async function row(id: number): Promise<DeliveryRow> {
  const found = await db.read((tx) => tx.first(query.selectFrom('delivery').selectAll().where('id', '=', id)))
  if (found === null) throw new Error(`no delivery ${String(id)}`)
  return found
}

const channelRow = async (id: number) => db.read((tx) => tx.first(query.selectFrom('alarm_channel').selectAll().where('id', '=', id)))

/** What the rule that watches for undeliverable messages was left. */
async function raised(): Promise<[key: string, error: unknown][]> {
  const rows = await db.read((tx) => tx.rows(query.selectFrom('alarm_signal').selectAll().orderBy('signal_key')))
  return rows.map((found) => [found.signal_key, JSON.parse(found.facts).error])
}

describe('the sender', () => {
  it('sends what is due, once, and writes down that it arrived', async () => {
    const id = await deliver(await channel('a'))
    const sender = makeSender()
    sender.start()
    await clock.advance(5_000, () => sender.idle())
    expect(letters.map(({ url, letter }) => [url, letter.id, letter.notice.subject])).toEqual([
      ['https://a.example/', String(id), 'Failed: settle'],
    ])
    expect(await row(id)).toMatchObject({ state: DELIVERY_STATE.sent, tries: 1, error: null, claimed_by: null })
  })

  it('tries again after growing waits with the same id, and stops when it arrives', async () => {
    const channelId = await channel('a')
    const id = await deliver(channelId)
    answer = () => (letters.length < 3 ? failed('unreachable', 'ECONNREFUSED') : sent('ok'))
    const sender = makeSender()
    sender.start()
    await clock.advance(3_000, () => sender.idle())
    expect(await row(id)).toMatchObject({
      state: DELIVERY_STATE.waiting,
      tries: 1,
      error: '{"code":"unreachable","answer":"ECONNREFUSED"}',
    })
    expect(await channelRow(channelId)).toMatchObject({ failed_in_a_row: 1 })
    await clock.advance(60_000, () => sender.idle())
    expect(letters.map(({ letter }) => letter.id)).toEqual([String(id), String(id), String(id)])
    expect(await row(id)).toMatchObject({ state: DELIVERY_STATE.sent, tries: 3 })
    expect(await channelRow(channelId)).toMatchObject({ failed_in_a_row: 0, last_error: null })
  })

  it('gives up what is refused again and again, and raises the alarm about it', async () => {
    const channelId = await channel('a')
    const id = await deliver(channelId)
    answer = () => failed('refused', '404 gone', { isRejected: true })
    const sender = makeSender()
    sender.start()
    await clock.advance(300_000, () => sender.idle())
    expect(await row(id)).toMatchObject({ state: DELIVERY_STATE.failed, tries: 6 })
    expect(await raised()).toEqual([['+channel ' + String(channelId), '404 gone']])
    answer = () => sent('ok')
    await deliver(channelId)
    await clock.advance(2_000, () => sender.idle())
    expect((await raised()).map(([key]) => key)).toEqual(['+channel ' + String(channelId), '-channel ' + String(channelId)])
  })

  it('tells of a channel that cannot be reached through others only, and raises no alarm about such an alarm', async () => {
    const [dead, other] = [await channel('dead'), await channel('other')]
    const target = { kind: 'channel', id: dead, name: 'dead' } as const
    const own = await deliver(dead, { event: 'undeliverable', target })
    const told = await deliver(other, { event: 'undeliverable', target })
    answer = () => failed('refused', 'no', { isRejected: true })
    const sender = makeSender()
    sender.start()
    await clock.advance(300_000, () => sender.idle())
    expect(await row(own)).toMatchObject({ state: DELIVERY_STATE.dropped, tries: 0, error: '{"code":"ownTrouble","answer":""}' })
    expect(await row(told)).toMatchObject({ state: DELIVERY_STATE.failed })
    expect(await raised()).toEqual([])
  })

  it('makes one digest of many that wait for one channel', async () => {
    const channelId = await channel('a')
    const ids: number[] = []
    for (let index = 0; index < 40; index += 1) ids.push(await deliver(channelId))
    const sender = makeSender()
    sender.kick()
    await sender.idle()
    expect(letters.map(({ letter }) => [letter.message.kind, letter.message.facts['incidents'], letter.message.incidents.length])).toEqual([
      ['digest', 40, 20],
    ])
    for (const id of ids) expect(await row(id)).toMatchObject({ state: DELIVERY_STATE.sent })
  })

  it('keeps to the pace of the vendor: what is over it waits, and it costs no try', async () => {
    const settings = { kind: 'wecom', url: 'https://robot.example/key' } as const
    const channelId = await channel('robot', { settings })
    const sender = makeSender()
    const first: number[] = []
    for (let index = 0; index < 12; index += 1) {
      first.push(await deliver(channelId))
      sender.kick()
      await sender.idle()
    }
    expect(letters).toHaveLength(10)
    expect(await row(first[11] ?? 0)).toMatchObject({ state: DELIVERY_STATE.waiting, tries: 0, claimed_by: null })
    sender.start()
    await clock.advance(10_000, () => sender.idle())
    expect(await row(first[11] ?? 0)).toMatchObject({ state: DELIVERY_STATE.sent })
  })

  it('is held up by no channel that does not answer', async () => {
    const [slow, quick] = [await channel('slow'), await channel('quick')]
    const waiting: ((outcome: SendOutcome) => void)[] = []
    answer = (_letter, url) => (url.includes('slow') ? new Promise((resolve) => waiting.push(resolve)) : sent('ok'))
    const slowId = await deliver(slow)
    const sender = makeSender()
    sender.kick()
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const quickId = await deliver(quick)
    sender.kick()
    while ((await row(quickId)).state !== DELIVERY_STATE.sent) await new Promise((resolve) => setImmediate(resolve))
    expect(await row(slowId)).toMatchObject({ state: DELIVERY_STATE.waiting, claimed_by: 900 })
    waiting[0]?.(sent('ok'))
    await sender.idle()
    expect(await row(slowId)).toMatchObject({ state: DELIVERY_STATE.sent })
  })

  it('sends again what a process had claimed that ended before it wrote down that it was sent', async () => {
    const id = await deliver(await channel('a'))
    // what a killed process leaves: a claim, and a message that may have gone out
    await claimDeliveries(db, { now: T0, by: 800, until: T0 + 90_000, busy: [] })
    const sender = makeSender()
    sender.start()
    await clock.advance(80_000, () => sender.idle())
    expect(letters).toEqual([])
    await clock.advance(15_000, () => sender.idle())
    expect(letters.map(({ letter }) => letter.id)).toEqual([String(id)])
  })

  it('that stops sends what it is at, and leaves the rest to others at once', async () => {
    const channelId = await channel('a')
    const ids = [await deliver(channelId), await deliver(channelId)]
    const waiting: ((outcome: SendOutcome) => void)[] = []
    answer = () => new Promise((resolve) => waiting.push(resolve))
    const sender = makeSender()
    sender.kick()
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const stopped = sender.stop()
    waiting[0]?.(sent('ok'))
    await stopped
    expect(letters).toHaveLength(1)
    expect(await row(ids[0] ?? 0)).toMatchObject({ state: DELIVERY_STATE.sent })
    expect(await row(ids[1] ?? 0)).toMatchObject({ state: DELIVERY_STATE.waiting, tries: 0, claimed_by: null, next_try_at: T0 })
  })

  it('drops what is for a channel that was switched off, or that is gone', async () => {
    const off = await deliver(await channel('off', { enabled: false }))
    const gone = await deliver(4_711)
    const sender = makeSender()
    sender.kick()
    await sender.idle()
    expect(await row(off)).toMatchObject({ state: DELIVERY_STATE.dropped, error: '{"code":"channelOff","answer":""}' })
    expect(await row(gone)).toMatchObject({ state: DELIVERY_STATE.dropped, error: '{"code":"channelGone","answer":""}' })
    expect(letters).toEqual([])
  })

  it('says so when the secrets of a channel were sealed with another secret', async () => {
    const id = await deliver(await channel('a'))
    seal.open = () => null
    const sender = makeSender()
    sender.kick()
    await sender.idle()
    seal.open = (text) => text.replace(/^sealed /, '')
    expect(await row(id)).toMatchObject({ state: DELIVERY_STATE.waiting, error: '{"code":"sealed","answer":""}' })
    expect(letters).toEqual([])
  })
})

describe('a claim', () => {
  it('is one process’s: of two that ask at once, none gets what the other has', async () => {
    const channelId = await channel('a')
    for (let index = 0; index < 60; index += 1) await deliver(channelId)
    const ask = (by: number) => claimDeliveries(db, { now: T0, by, until: T0 + 1_000, busy: [] })
    const [one, two] = await Promise.all([ask(1), ask(2)])
    const ids = [...one, ...two].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBe(60)
    expect(await ask(3)).toEqual([])
  })

  it('leaves out channels that are busy', async () => {
    const [a, b] = [await channel('a'), await channel('b')]
    await deliver(a)
    const id = await deliver(b)
    expect((await claimDeliveries(db, { now: T0, by: 1, until: T0 + 1, busy: [a] })).map((found) => found.id)).toEqual([id])
  })

  it.each([
    ['another process', 2],
    ['the same process', 1],
  ])('that has run out counts no more: what its sender writes late changes nothing after a claim of %s', async (_who, by) => {
    const channelId = await channel('a')
    const id = await deliver(channelId)
    const late = await claimDeliveries(db, { now: T0, by: 1, until: T0 + 1_000, busy: [] })
    await claimDeliveries(db, { now: T0 + 2_000, by, until: T0 + 9_000, busy: [] })
    const settlement = {
      channel: { id: channelId, name: 'a', groupId: 1 },
      rows: late,
      settled: { kind: 'sent' },
      now: T0 + 3_000,
    } as const
    expect(await settleDeliveries(db, settlement)).toBe(0)
    expect(await row(id)).toMatchObject({ state: DELIVERY_STATE.waiting, claimed_by: by })
  })
})

describe('the delivery log', () => {
  it('is read newest first, page by page, and by groups that are visible', async () => {
    const channelId = await channel('a')
    const ids: number[] = []
    for (let index = 0; index < 5; index += 1) ids.unshift(await deliver(channelId))
    const all = { states: null, below: Number.MAX_SAFE_INTEGER, limit: 3 }
    const first = await listDeliveries(db, 'all', all)
    expect(first.rows.map(({ id }) => id)).toEqual(ids.slice(0, 3))
    const second = await listDeliveries(db, 'all', { ...all, below: first.next ?? 0 })
    expect([second.rows.map(({ id }) => id), second.next]).toEqual([ids.slice(3), null])
    expect((await listDeliveries(db, [], all)).rows).toEqual([])
    expect((await listDeliveries(db, 'all', { ...all, states: ['sent'] })).rows).toEqual([])
    expect((await listDeliveries(db, 'all', { ...all, channelId: 99 })).rows).toEqual([])
  })

  it('lets a message that was given up be sent again, and none that arrived', async () => {
    const channelId = await channel('a')
    const id = await deliver(channelId)
    const rows = await claimDeliveries(db, { now: T0, by: 1, until: T0 + 1_000, busy: [] })
    await settleDeliveries(db, {
      channel: { id: channelId, name: 'a', groupId: 1 },
      rows,
      settled: { kind: 'failed', error: '{}', raise: false },
      now: T0,
    })
    await expect(retryDelivery(db, { deliveryId: id }, changeAt(T0, { scope: [] }))).rejects.toMatchObject({
      code: 'ALARM_DELIVERY_NOT_FOUND',
    })
    await retryDelivery(db, { deliveryId: id }, changeAt(T0))
    const sender = makeSender()
    sender.kick()
    await sender.idle()
    expect(await row(id)).toMatchObject({ state: DELIVERY_STATE.sent, tries: 1 })
    await expect(retryDelivery(db, { deliveryId: id }, changeAt(T0))).rejects.toMatchObject({ code: 'ALARM_DELIVERY_SENT' })
  })
})

describe('a channel', () => {
  it('cannot take the name of another, nor be changed by who has an older version', async () => {
    const id = await channel('a')
    await expect(channel('a')).rejects.toMatchObject({ code: 'UNPROCESSABLE', errors: [{ path: 'name', code: 'NAME_TAKEN' }] })
    const columns = { kind: 'slack', config: '{}', secrets: null, language: 'en', template: null }
    const fields = { name: 'b', groupId: 1, enabled: true, ...columns, shown: {} }
    await updateChannel(db, { channelId: id, version: 1, before: {}, fields }, changeAt(T0))
    const stale = updateChannel(db, { channelId: id, version: 1, before: {}, fields }, changeAt(T0))
    await expect(stale).rejects.toMatchObject({ code: 'STALE_VERSION', params: { version: 2 } })
  })
})
