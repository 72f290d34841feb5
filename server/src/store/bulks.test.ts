import { MAX_BULK, MAX_BULKS_RUNNING, type BulkBody } from '@tickwheel/contract'
import { id as brand, OUTCOME } from '@tickwheel/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { endBulk, Overtaken, runningBulks, settleAlone, waitingItems } from './bulk-items.ts'
import { getBulk, listBulkItems, listBulks } from './bulk-views.ts'
import { cancelBulk, previewBulk, startBulk, type BulkRequest } from './bulks.ts'
import type { Caller } from './caller.ts'
import type { Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { pruneBulks } from './prune.ts'
import type { BulkRow } from './schema.ts'
import { addGroup, changeAt, endedRow, memoryStore, openRow, T0, taskInput } from './store.fixture.ts'
import { createTask } from './tasks.ts'

const SLOTS = new Set(Array.from({ length: 256 }, (_, slot) => slot))
const ALICE: Caller = { actor: { kind: 'user', id: 7, name: 'alice' }, ip: '127.0.0.1', requestId: 'r1' }
const BOB: Caller = { actor: { kind: 'token', id: 9, name: 'of bob' }, ownerId: 8, ip: '127.0.0.1', requestId: 'r2' }
const SCOPES = { task: 'all', workflow: 'all', instance: 'all' } as const
const FENCE = (row: BulkRow): Map<number, number> => new Map([[row.slot, 0]])
const [ONE, TWO] = [brand<'group'>(1), brand<'group'>(2)]
const TRIGGER: BulkBody = { kind: 'task', action: 'trigger', filter: {} }

describe('bulk operations in the store', () => {
  let db: Database
  let ids: number[]

  beforeEach(async () => {
    db = await memoryStore()
    await addGroup(db, 1)
    await addGroup(db, 2)
    ids = []
    for (const [groupId, name] of [
      [1, 'a'],
      [1, 'b'],
      [2, 'c'],
    ] as const)
      ids.push((await createTask(db, { input: taskInput({ groupId, name }), serverZone: 'UTC' }, changeAt(T0))).taskId)
  })

  let auditId = 1000
  async function begin(body: BulkBody = TRIGGER, more: Partial<BulkRequest> = {}): Promise<number> {
    const request = { body, scope: 'all', now: T0, auditId: (auditId += 1), caller: ALICE, keyHash: null, ...more } as const
    return (await startBulk(db, request)).bulkId
  }
  async function rowOf(id: number): Promise<BulkRow> {
    const row = (await runningBulks(db, SLOTS, 100)).find((one) => one.id === id)
    if (row === undefined) throw new Error(`bulk operation ${id} does not run`)
    return row
  }
  const problemOf = async (body: BulkBody): Promise<unknown> =>
    begin(body).then(
      () => null,
      (error: unknown) => (error instanceof Error && 'errors' in error ? error.errors : error),
    )

  it('are about what matches when they are accepted, within what the caller sees; a repeated key begins none', async () => {
    const all = await begin(TRIGGER, { keyHash: 'key' })
    expect(await begin(TRIGGER, { keyHash: 'key' })).toBe(all)
    expect((await waitingItems(db, all, 0, 10)).map((item) => [item.place, item.name])).toEqual([
      [1, 'c'],
      [2, 'b'],
      [3, 'a'],
    ])
    const seen = await begin(TRIGGER, { scope: [TWO] })
    expect((await waitingItems(db, seen, 0, 10)).map((item) => item.name)).toEqual(['c'])
    const named = await begin({ kind: 'task', action: 'stop', ids: [...ids, 12_345] }, { scope: [ONE] })
    expect((await waitingItems(db, named, 0, 10)).map((item) => [item.target_id, item.group_id, item.name])).toEqual([
      [ids[0], 1, 'a'],
      [ids[1], 1, 'b'],
      [ids[2], 0, ''],
      [12_345, 0, ''],
    ])
    expect(await previewBulk(db, { body: { kind: 'task', action: 'stop', ids: [...ids, 12_345] }, scope: 'all', mayDo: [ONE] })).toEqual({
      total: 4,
      refused: 2,
      items: [
        { targetId: ids[0], name: 'a', groupName: 'group 1' },
        { targetId: ids[1], name: 'b', groupName: 'group 1' },
        { targetId: ids[2], name: 'c', groupName: 'group 2' },
      ],
    })
  })

  it('are refused where nothing is meant, or nothing matches, or too much', async () => {
    expect(await problemOf({ kind: 'task', action: 'stop' })).toMatchObject([{ path: 'ids', code: 'BULK_IDS_OR_FILTER' }])
    expect(await problemOf({ kind: 'task', action: 'stop', ids: [1], filter: {} })).toMatchObject([{ code: 'BULK_IDS_OR_FILTER' }])
    expect(await problemOf({ kind: 'workflow', action: 'stop', filter: {} })).toMatchObject([{ path: 'filter', code: 'BULK_NOTHING' }])
    const first = floorOfInstant(T0)
    await db.write('rest', (tx) =>
      tx.insert(
        'instance',
        Array.from({ length: MAX_BULK + 1 }, (_, n) => endedRow(first + n, { task_id: ids[0] ?? 0, outcome: OUTCOME.failed })),
      ),
    )
    const failed: BulkBody = { kind: 'instance', action: 'retry', filter: { state: 'failed' } }
    expect(await problemOf(failed)).toMatchObject([{ path: 'filter', code: 'BULK_TOO_MANY', params: { max: MAX_BULK } }])
    await db.write('rest', (tx) => tx.insert('retry_link', [{ instance_id: first, retry_id: 1 }]))
    expect(await previewBulk(db, { body: failed, scope: 'all', mayDo: 'all' })).toMatchObject({ total: MAX_BULK, refused: 0 })
    expect(await problemOf({ kind: 'instance', action: 'retry', filter: { state: 'running' } })).toMatchObject([{ code: 'BULK_NOTHING' }])
  })

  it('take of runs those to which it can be done: cancel what is open, retry what did not go well', async () => {
    const first = floorOfInstant(T0)
    const task_id = ids[0] ?? 0
    await db.write('rest', async (tx) => {
      await tx.insert('instance', [
        endedRow(first, { task_id }),
        endedRow(first + 1, { task_id, outcome: OUTCOME.failed }),
        endedRow(first + 2, { task_id, outcome: OUTCOME.lost, group_id: 2 }),
      ])
      await tx.insert('open_instance', [openRow(first + 3, { task_id })])
    })
    const targets = async (body: BulkBody): Promise<number[]> =>
      (await waitingItems(db, await begin(body), 0, 10)).map((item) => item.target_id - first)
    expect(await targets({ kind: 'instance', action: 'cancel', filter: {} })).toEqual([3])
    expect(await targets({ kind: 'instance', action: 'retry', filter: {} })).toEqual([2, 1])
    expect(await targets({ kind: 'instance', action: 'retry', filter: { state: 'succeeded,failed' } })).toEqual([1, 0])
    expect(await targets({ kind: 'instance', action: 'retry', filter: { groupId: 2 } })).toEqual([2])
  })

  it('settle an item once, under the fence of their slot, and not when they were canceled', async () => {
    const id = await begin()
    const bulk = await rowOf(id)
    const settling = { bulk, place: 1, fences: FENCE(bulk) }
    await settleAlone(db, settling, { runId: 77 })
    await expect(settleAlone(db, settling, { runId: 78 })).rejects.toThrow(Overtaken)
    await expect(settleAlone(db, { bulk, place: 2, fences: new Map([[bulk.slot, 5]]) }, { runId: 79 })).rejects.toThrow(Overtaken)
    expect(await endBulk(db, id, T0)).toBe(false)
    expect(await rowOf(id)).toMatchObject({ done: 1, failed: 0, total: 3 })
    await cancelBulk(db, { bulkId: id, caller: ALICE, now: T0 + 5, auditId: (auditId += 1) })
    await expect(settleAlone(db, { bulk, place: 2, fences: FENCE(bulk) }, { runId: 80 })).rejects.toThrow(Overtaken)
    expect(await getBulk(db, { accountId: 7, seesAll: false }, id)).toMatchObject({ state: 'canceled', done: 1, total: 3 })
  })

  it('are read by who has begun them, or sees all; what failed first, page by page', async () => {
    const [mine, other] = [await begin(), await begin(TRIGGER, { caller: BOB })]
    const bulk = await rowOf(mine)
    await settleAlone(db, { bulk, place: 1, fences: FENCE(bulk) }, { runId: 77 })
    const found = async (accountId: number, seesAll = false): Promise<number[]> =>
      (await listBulks(db, { accountId, seesAll }, {})).items.map((item) => item.id)
    expect([await found(7), await found(8), await found(1), await found(1, true)]).toEqual([[mine], [other], [], [other, mine]])
    await expect(getBulk(db, { accountId: 8, seesAll: false }, mine)).rejects.toMatchObject({ code: 'BULK_NOT_FOUND' })
    const reader = { accountId: 7, seesAll: false }
    const page = async (
      query: Parameters<typeof listBulkItems>[1]['query'],
      scopes: typeof SCOPES | Parameters<typeof listBulkItems>[1]['scopes'] = SCOPES,
    ) => listBulkItems(db, { reader, scopes, bulkId: mine, query })
    const first = await page({ pageSize: 2 })
    expect(first).toMatchObject({
      total: 3,
      items: [
        { place: 2, state: 'waiting' },
        { place: 3, state: 'waiting' },
      ],
    })
    const second = await page({ pageSize: 2, cursor: first.nextCursor ?? '' })
    expect(second).toMatchObject({ items: [{ place: 1, state: 'done', runId: 77, name: 'c', groupName: 'group 2' }], nextCursor: null })
    expect(await page({ state: 'waiting', pageSize: 1 })).toMatchObject({ total: 2, items: [{ place: 2 }], nextCursor: expect.any(String) })
    expect(await page({ state: 'failed' })).toEqual({ items: [], total: 0, nextCursor: null })
    expect((await page({ state: 'done' }, { ...SCOPES, task: [ONE] })).items[0]).toMatchObject({
      name: '',
      groupName: '',
      targetId: ids[2],
    })
    await expect(page({ cursor: '1.9.1' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  })

  it('are few at once for each account', async () => {
    for (let n = 0; n < MAX_BULKS_RUNNING; n += 1) await begin()
    await expect(begin()).rejects.toMatchObject({ code: 'LIMIT_REACHED', params: { max: MAX_BULKS_RUNNING } })
    await begin(TRIGGER, { caller: BOB })
  })

  it('go with their items when they are old enough', async () => {
    const id = await begin()
    const bulk = await rowOf(id)
    for (const place of [1, 2, 3]) await settleAlone(db, { bulk, place, fences: FENCE(bulk) }, { runId: null })
    expect(await endBulk(db, id, T0 + 1000)).toBe(true)
    expect(await pruneBulks(db, T0 + 1000)).toBe(false)
    expect(await pruneBulks(db, T0 + 1001)).toBe(true)
    const left = await db.read((tx) => tx.all('SELECT place FROM bulk_item'))
    expect([left, await pruneBulks(db, T0 + 1001)]).toEqual([[], false])
  })
})
