import { AppError, type TaskCreate } from '@tickwheel/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { parseDefinition } from './definition.ts'
import { SCHEMA_LEVEL } from './migrate.ts'
import { addGroup, changeAt, memoryStore, T0, taskInput } from './store.fixture.ts'
import { createTask, readDefinition, restoreTaskVersion, updateTask } from './tasks.ts'

let db: Database
beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
})
afterEach(() => db.close())

const create = async (more: Partial<TaskCreate> = {}) => createTask(db, { input: taskInput(more), serverZone: 'UTC' }, changeAt(T0))

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error: unknown = await work.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw error
  return error
}

async function storedText(taskId: number, version: number): Promise<string> {
  const [row] = await db.read((tx) =>
    tx.all<{ definition: string }>('SELECT definition FROM task_version WHERE task_id = ? AND version = ?', [taskId, version]),
  )
  return row?.definition ?? ''
}

it('labels and key are kept with their task; a definition that says nothing of them is stored as older releases know it', async () => {
  const where = { routing: 'consistentHash', labels: { zone: 'a', disk: 'ssd' }, routingKey: 'params.customer' } as const
  const { taskId } = await create(where)
  expect(await readDefinition(db, taskId, 1)).toMatchObject(where)
  const plain = await create({ name: 'plain' })
  expect(await readDefinition(db, plain.taskId, 1)).toMatchObject({ routing: 'roundRobin', labels: {}, routingKey: '' })
  expect(await storedText(plain.taskId, 1)).not.toMatch(/labels|routingKey/)
})

it('a definition that an older release stored is read with defaults', async () => {
  const { taskId } = await create()
  const old = JSON.parse(await storedText(taskId, 1)) as Record<string, unknown>
  expect(Object.keys(old)).not.toContain('labels')
  expect(parseDefinition(JSON.stringify(old))).toMatchObject({ labels: {}, routingKey: '' })
})

it.each([
  ['a path that is none', { routing: 'consistentHash', routingKey: 'customer' }, 'routingKey ROUTING_KEY_FORMAT', 'params.customerId'],
  ['a path with spaces', { routing: 'consistentHash', routingKey: 'params.a b' }, 'routingKey ROUTING_KEY_FORMAT', 'params.customerId'],
  [
    'a key under another strategy',
    { routing: 'leastUsed', routingKey: 'params.a' },
    'routingKey ROUTING_KEY_WITHOUT_HASH',
    'consistentHash',
  ],
  ['a label whose name is too long', { labels: { ['x'.repeat(65)]: 'a' } }, `labels.${'x'.repeat(64)}… TOO_LONG`, '64'],
  ['a label without a name', { labels: { ' ': 'a' } }, 'labels TOO_SHORT', 'empty'],
] as const)('%s is refused by its field, with the remedy', async (_, where, field, hint) => {
  const refused = await refusal(create(where))
  expect(refused.code).toBe('UNPROCESSABLE')
  expect(refused.errors.map(({ path, code }) => `${path} ${code}`)).toEqual([field])
  expect(refused.message).toContain(hint)
})

it('nothing that an older live node would not keep to is saved, made or restored; what it knows is', async () => {
  const { taskId } = await create({ labels: { zone: 'a' } })
  await updateTask(db, { taskId, input: { ...taskInput(), version: 1 }, serverZone: 'UTC' }, changeAt(T0))
  const node = { url: '', roles: 'scheduler', connection_ids: '', facts: null }
  await db.write('rest', async (tx) => {
    await tx.insert('node', [
      { ...node, run_id: 1, name: 'gone', version: '1.0', level: 2, beat_at: T0 - 60_000 },
      { ...node, run_id: 2, name: 'old', version: '1.1', level: 3, beat_at: T0 - 500 },
      { ...node, run_id: 3, name: 'new', version: '2.0', level: SCHEMA_LEVEL, beat_at: T0 },
    ])
  })
  for (const where of [{ routing: 'first' }, { labels: { zone: 'a' } }, { routing: 'consistentHash', routingKey: 'params.a' }] as const) {
    const refused = await refusal(create({ ...where, name: 'another' }))
    expect([refused.code, refused.params]).toEqual(['NODE_TOO_OLD', { node: 'old', version: '1.1', level: 3, neededLevel: 4 }])
    expect(refused.message).toMatch(/node old .* roundRobin/)
    const edit = updateTask(db, { taskId, input: { ...taskInput(where), version: 2 }, serverZone: 'UTC' }, changeAt(T0))
    expect((await refusal(edit)).code).toBe('NODE_TOO_OLD')
  }
  expect((await refusal(restoreTaskVersion(db, { taskId, version: 1, serverZone: 'UTC' }, changeAt(T0)))).code).toBe('NODE_TOO_OLD')
  await create({ routing: 'random', name: 'random' })
  await db.write('rest', (tx) => tx.run('DELETE FROM node WHERE run_id = 2'))
  await restoreTaskVersion(db, { taskId, version: 1, serverZone: 'UTC' }, changeAt(T0))
  expect(await readDefinition(db, taskId, 3)).toMatchObject({ labels: { zone: 'a' } })
})
