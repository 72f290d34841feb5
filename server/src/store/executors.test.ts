import type { Register } from '@tickwheel/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { readHandlers } from './executor-views.ts'
import { onlineExecutors, registerExecutor } from './executors.ts'
import { addGroup, memoryStore, T0 } from './store.fixture.ts'

let db: Database
let boot = 100
beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
})
afterEach(() => db.close())

const WORKER: Register = {
  appName: 'app-1',
  name: 'worker',
  protocol: { min: 1, max: 1 },
  version: '0',
  capacity: 1,
  host: 'here',
  pid: 1,
  handlers: [],
}

/** The boot that a registration gets. */
async function bootOf(more: Partial<Register> = {}): Promise<number> {
  const { row } = await registerExecutor(db, { at: T0, bootId: (boot += 1), groupId: 1, register: { ...WORKER, ...more } })
  return row.boot_id
}

describe('what executors can run', () => {
  const typed = (name: string, paramsSchema: Record<string, unknown>) => ({ name, kind: 'named' as const, paramsSchema })

  it('is told by name, and the newest process says what the parameters are', async () => {
    await bootOf({
      name: 'old',
      handlers: [typed('sync', { title: 'old' }), typed('only-old', { title: 'x' }), { name: 'shell', kind: 'builtIn' }],
    })
    await bootOf({ name: 'new', handlers: [typed('sync', { title: 'new' }), { name: 'plain', description: 'says it' }] })
    expect(await readHandlers(db, 1)).toEqual([
      { name: 'only-old', description: '', paramsSchema: { title: 'x' } },
      { name: 'plain', description: 'says it', paramsSchema: null },
      { name: 'sync', description: '', paramsSchema: { title: 'new' } },
    ])
    expect((await onlineExecutors(db)).map(({ row }) => row.handlers).join()).not.toContain('title')
  })

  it('is that of the process that is there: not of one before, and of none that is offline', async () => {
    await bootOf({ handlers: [typed('sync', { title: 'first' })] })
    await bootOf({ handlers: [{ name: 'sync', kind: 'named' }] })
    expect(await readHandlers(db, 1)).toMatchObject([{ name: 'sync', paramsSchema: null }])
    await bootOf({ handlers: [typed('sync', { title: 'third' })] })
    // a program of level 3 registers the next process
    await db.write('rest', (tx) => tx.run('UPDATE executor SET boot_id = boot_id + 1'))
    expect(await readHandlers(db, 1)).toMatchObject([{ name: 'sync', paramsSchema: null }])
    await db.write('rest', (tx) => tx.run('UPDATE executor SET state = 0'))
    expect(await readHandlers(db, 1)).toEqual([])
  })
})

describe('an executor that registers', () => {
  it('gets a larger boot with each process', async () => {
    const first = await bootOf({ processKey: 'a' })
    expect(await bootOf({ processKey: 'b' })).toBeGreaterThan(first)
    expect(await bootOf()).toBeGreaterThan(first + 1)
  })

  it('keeps its boot when an earlier request of the same process is handled late', async () => {
    const first = await bootOf({ processKey: 'a' })
    expect(await bootOf({ processKey: 'a' })).toBe(first)
    expect(await bootOf({ processKey: 'a', bootId: first })).toBe(first)
  })

  it('is refused with an older boot of another process', async () => {
    const first = await bootOf({ processKey: 'a' })
    await bootOf({ processKey: 'b' })
    await expect(bootOf({ processKey: 'a', bootId: first })).rejects.toThrow('A newer process has registered')
  })

  it('is refused when a request of an earlier process is handled late: its successor keeps the name', async () => {
    await bootOf({ processKey: 'a' })
    const second = await bootOf({ processKey: 'b' })
    await expect(bootOf({ processKey: 'a' })).rejects.toThrow('A newer process has registered')
    // an executor of an older release comes and goes, without a key
    const third = await bootOf()
    await expect(bootOf({ processKey: 'b' })).rejects.toThrow('A newer process has registered')
    expect(third).toBeGreaterThan(second)
  })

  it('remembers as many earlier processes as fit', async () => {
    for (let each = 0; each < 20; each += 1) await bootOf({ processKey: String(each).padStart(60, 'k') })
    await expect(bootOf({ processKey: '18'.padStart(60, 'k') })).rejects.toThrow('A newer process has registered')
    const [row] = await db.read((tx) => tx.all<{ process_key: string }>('SELECT process_key FROM executor'))
    expect(row?.process_key.split(' ')).toHaveLength(4)
  })

  it('does not get the boot of a process that a node of an older level registered: that one wrote no key', async () => {
    await bootOf({ processKey: 'a' })
    // all that a program of level 3 writes of it
    await db.write('rest', (tx) => tx.run('UPDATE executor SET boot_id = ?', [(boot += 1)]))
    await expect(bootOf({ processKey: 'a' })).rejects.toThrow('A newer process has registered')
    expect(await bootOf({ processKey: 'b' })).toBeGreaterThan(boot - 1)
  })
})
