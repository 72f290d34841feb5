import { AppError, type Register } from '@tickwheel/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { executorsById } from './executor-views.ts'
import { addressOf, registerExecutor, type Reach } from './executors.ts'
import { EXECUTORS_LEVEL } from './levels.ts'
import { SCHEMA_LEVEL } from './migrate.ts'
import { memoryStore, T0 } from './store.fixture.ts'

const register: Register = {
  appName: 'app-1',
  name: 'poster',
  protocol: { min: 1, max: 1 },
  version: '1',
  capacity: 1,
  handlers: [],
  host: 'h',
  pid: 1,
}
const http: Reach = { transport: 'http', address: 'http://10.0.0.7:9100' }
const node = { version: '0.9', url: '', roles: 'scheduler', connection_ids: '', facts: null }

let db: Database
beforeEach(async () => {
  db = await memoryStore()
})
afterEach(() => db.close())

it('keeps how an executor is reached, by its newest process only', async () => {
  const { row } = await registerExecutor(db, { at: T0, bootId: 5, groupId: 1, register, reach: http })
  const session = { executorId: row.id, bootId: 5 }
  expect(await addressOf(db, session)).toBe('http://10.0.0.7:9100')
  expect(await addressOf(db, { ...session, bootId: 4 })).toBeNull()
  const [seen] = await executorsById(db, 'all', { ids: [row.id], find: () => null })
  expect(seen).toMatchObject({ transport: 'http', address: 'http://10.0.0.7:9100' })

  await registerExecutor(db, { at: T0, bootId: 6, groupId: 1, register })
  expect(await addressOf(db, { ...session, bootId: 6 })).toBeNull()
  const [again] = await executorsById(db, 'all', { ids: [row.id], find: () => null })
  expect(again).toMatchObject({ transport: 'stream', address: null })
})

it('refuses an address while a node lives that could not send to it, and a stream never', async () => {
  await db.write('rest', (tx) => tx.insert('node', [{ ...node, run_id: 3, name: 'old', level: EXECUTORS_LEVEL - 1, beat_at: T0 }]))
  const refused = await registerExecutor(db, { at: T0, bootId: 5, groupId: 1, register, reach: http }).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(AppError)
  expect(refused).toMatchObject({ code: 'NODE_TOO_OLD', params: { node: 'old', neededLevel: EXECUTORS_LEVEL } })
  await expect(registerExecutor(db, { at: T0, bootId: 5, groupId: 1, register })).resolves.toBeDefined()

  await db.write('rest', (tx) => tx.run('UPDATE node SET level = ?', [SCHEMA_LEVEL]))
  await expect(registerExecutor(db, { at: T0, bootId: 6, groupId: 1, register, reach: http })).resolves.toBeDefined()
})
