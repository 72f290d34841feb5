import { REASON } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database, Lane } from './database.ts'
import { EXECUTORS_LEVEL, FLEET_LEVEL } from './levels.ts'
import { completeDefinition, definitionText, levelOf, parseDefinition } from './definition.ts'
import { takePlaces, type Places } from './group-limits.ts'
import { createGroup, getGroup, updateGroup } from './groups.ts'
import { createTask, readDefinition, updateTask } from './tasks.ts'
import { addGroup, changeAt, memoryStore, openRow, T0, taskInput } from './store.fixture.ts'

let db: Database
beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
  await db.write('rest', (tx) => tx.run("UPDATE id_block SET next_id = 100 WHERE name = 'entity'"))
})
afterEach(() => db.close())

const LIMITED = { concurrency: 2, queueTimeoutMs: 1000, onLost: 'fail', pauseAfterFailures: 3 } as const

describe('a stored definition', () => {
  it('without limits is what older programs wrote, and reads as the same definition', async () => {
    const definition = completeDefinition(taskInput(), 'UTC')
    const text = definitionText(definition)
    for (const word of ['concurrency', 'queueTimeoutMs', 'onLost', 'pauseAfterFailures', 'jitter']) expect(text).not.toContain(word)
    expect(parseDefinition(text)).toEqual(definition)
    expect(levelOf(definition)).toBe(0)
  })

  it.each([...Object.entries(LIMITED), ['retry', { max: 1, jitter: 0.5 }] as const])(
    'with `%s` keeps it, and asks for nodes that know it',
    (field, value) => {
      const definition = completeDefinition(taskInput({ [field]: value }), 'UTC')
      expect(parseDefinition(definitionText(definition))).toEqual(definition)
      expect(levelOf(definition)).toBe(EXECUTORS_LEVEL)
    },
  )

  it('keeps its limits from the API to the store', async () => {
    const { taskId } = await createTask(db, { input: taskInput(LIMITED), serverZone: 'UTC' }, changeAt(T0))
    expect(await readDefinition(db, taskId, 1)).toMatchObject(LIMITED)
  })
})

describe('while a node of an older release lives', () => {
  beforeEach(() =>
    db.write('rest', (tx) =>
      tx.insert('node', [
        {
          run_id: 2,
          name: 'old',
          url: '',
          roles: 'scheduler',
          version: '1.1',
          level: 3,
          connection_ids: '',
          facts: null,
          beat_at: T0 - 500,
        },
      ]),
    ),
  )

  it('limits of tasks are refused, and tasks without any are saved', async () => {
    const { taskId } = await createTask(db, { input: taskInput(), serverZone: 'UTC' }, changeAt(T0))
    const saved = updateTask(db, { taskId, input: { ...taskInput({ concurrency: 2 }), version: 1 }, serverZone: 'UTC' }, changeAt(T0))
    await expect(saved).rejects.toMatchObject({ code: 'NODE_TOO_OLD', params: { node: 'old', level: 3, neededLevel: EXECUTORS_LEVEL } })
    expect(await readDefinition(db, taskId, 2)).toBeNull()
  })

  it('XXL-JOB tokens of single groups are refused', async () => {
    const input = { name: 'orders', appName: 'orders', xxlToken: '' }
    await expect(createGroup(db, { input }, changeAt(T0))).rejects.toMatchObject({
      code: 'NODE_TOO_OLD',
      params: { node: 'old', neededLevel: FLEET_LEVEL },
    })
    const { groupId } = await createGroup(db, { input: { name: 'orders', appName: 'orders' } }, changeAt(T0))
    const change = { name: 'orders', appName: 'orders', version: 1, xxlToken: 'sealed' }
    await expect(updateGroup(db, { groupId, input: change }, changeAt(T0))).rejects.toMatchObject({ code: 'NODE_TOO_OLD' })
  })

  it('limits of groups are refused, and can be set when it is gone', async () => {
    const input = { name: 'billing', appName: 'billing', concurrency: 3 }
    await expect(createGroup(db, { input }, changeAt(T0))).rejects.toMatchObject({ code: 'NODE_TOO_OLD' })
    await db.write('rest', (tx) => tx.run('UPDATE node SET beat_at = ?', [T0 - 60_000]))
    const { groupId } = await createGroup(db, { input }, changeAt(T0))
    expect((await getGroup(db, 'all', groupId)).concurrency).toBe(3)
  })
})

it('what older programs do not know keeps them from opening the store from then on', async () => {
  const oldest = () => db.read((tx) => tx.all("SELECT value FROM meta WHERE `key` = 'oldest_reader'"))
  await db.write('rest', (tx) => tx.run("UPDATE meta SET value = '2' WHERE `key` = 'oldest_reader'"))
  await createTask(db, { input: taskInput(), serverZone: 'UTC' }, changeAt(T0))
  expect(await oldest()).toEqual([{ value: '2' }])
  await createTask(db, { input: taskInput({ name: 'limited', concurrency: 2 }), serverZone: 'UTC' }, changeAt(T0))
  expect(await oldest()).toEqual([{ value: String(EXECUTORS_LEVEL) }])
})

it('a group that is saved by a program that does not know of limits keeps its limit', async () => {
  const { groupId } = await createGroup(db, { input: { name: 'billing', appName: 'billing', concurrency: 3 } }, changeAt(T0))
  await updateGroup(db, { groupId, input: { name: 'bills', appName: 'billing', version: 1 } }, changeAt(T0))
  expect(await getGroup(db, 'all', groupId)).toMatchObject({ name: 'bills', concurrency: 3 })
  await updateGroup(db, { groupId, input: { name: 'bills', appName: 'billing', concurrency: 0, version: 2 } }, changeAt(T0))
  expect((await getGroup(db, 'all', groupId)).concurrency).toBe(0)
})

describe('places under the limit of a group', () => {
  const MINE = new Set([1])
  const limitTo = (n: number) => db.write('rest', (tx) => tx.run('UPDATE task_group SET concurrency = ? WHERE id = 1', [n]))
  const queue = (...rows: Parameters<typeof openRow>[]) =>
    db.write('rest', (tx) =>
      tx.insert(
        'open_instance',
        rows.map(([id, more]) => openRow(id, { rank_at: id, ...more })),
      ),
    )
  const candidates = (ids: readonly number[]) => ids.map((id) => ({ id, groupId: 1, rankAt: id }))

  /** What a dispatch does: takes places, and writes those runs as in flight. */
  async function send(lane: Lane, ids: readonly number[]): Promise<Places> {
    return db.write(lane, async (tx) => {
      const places = await takePlaces(tx, MINE, candidates(ids))
      for (const id of places.granted) await tx.run('UPDATE open_instance SET phase = 3, lane = 0 WHERE id = ?', [id])
      return places
    })
  }

  it('are never given twice, however many transactions ask at once', async () => {
    await limitTo(3)
    await queue(...Array.from({ length: 12 }, (_, n): [number] => [n + 1]))
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, n) => send((['fire', 'report', 'rest'] as const)[n % 3] ?? 'fire', [n + 1])),
    )
    const inFlight = await db.read((tx) => tx.all('SELECT id FROM open_instance WHERE phase = 3'))
    expect(inFlight.length).toBeLessThanOrEqual(3)
    expect(asked.flatMap((places) => [...places.granted])).toHaveLength(inFlight.length)
    // those who met another at work look again
    for (let id = 1; id <= 12; id += 1) await send('fire', [id]).catch(() => null)
    expect(await db.read((tx) => tx.all('SELECT id FROM open_instance WHERE phase = 3'))).toHaveLength(3)
  })

  it('go to the first in rank, and who has none is told how many are used', async () => {
    await limitTo(3)
    await queue([1, { phase: 4, lane: 0, executor_id: 1 }], [2], [3], [4])
    const { granted, full } = await send('fire', [4, 3, 2])
    expect([granted, full]).toEqual([new Set([2, 3]), [{ groupId: 1, used: 3, max: 3, isBusy: false }]])
  })

  it('are left to a run of another node that waits for nothing else and stands before', async () => {
    await limitTo(1)
    const waits = { slot: 200, wait_code: REASON.waitsForGroupLimit }
    await queue([5, waits], [6], [7, { slot: 201, wait_code: REASON.waitsForSlot, rank_at: 1 }])
    expect([...(await send('fire', [6])).granted]).toEqual([])
    await db.write('rest', (tx) => tx.run('UPDATE open_instance SET wait_code = NULL WHERE id = 5'))
    expect([...(await send('fire', [6])).granted]).toEqual([6])
  })

  it('are without number where the group has no limit', async () => {
    await limitTo(0)
    await queue([1], [2])
    expect(await send('fire', [1, 2])).toEqual({ granted: new Set([1, 2]), full: [] })
  })
})
