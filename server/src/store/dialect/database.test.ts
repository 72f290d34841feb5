import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { takeEntityId, takeRunIds, RunIds, floorOfInstant, instantOfId } from '../ids.ts'
import { DuplicateKey, query, type Database } from '../database.ts'
import { endedRow, fileStore, memoryStore, T0 } from '../store.fixture.ts'

describe.each([{ name: 'in a file' }, { name: 'in memory' }])('a store $name', ({ name }) => {
  let db: Database
  let close: () => Promise<void>
  beforeEach(async () => {
    if (name === 'in memory') {
      db = await memoryStore()
      close = () => db.close()
      return
    }
    const store = await fileStore()
    db = store.db
    close = store.remove
  })
  afterEach(() => close())

  const names = async () =>
    (await db.read((tx) => tx.rows(query.selectFrom('meta').select('key').where('key', 'like', 'x%').orderBy('key')))).map((row) => row.key)

  it('keeps what a transaction wrote only when it ends well', async () => {
    await db.write('rest', (tx) => tx.insert('meta', [{ key: 'x1', value: 'a' }]))
    await expect(
      db.write('rest', async (tx) => {
        await tx.insert('meta', [{ key: 'x2', value: 'b' }])
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await names()).toEqual(['x1'])
  })

  it('tells a key that is taken', async () => {
    const row = { key: 'x1', value: 'a' }
    await db.write('rest', (tx) => tx.insert('meta', [row]))
    await expect(db.write('rest', (tx) => tx.insert('meta', [row]))).rejects.toBeInstanceOf(DuplicateKey)
    expect(await db.write('rest', (tx) => tx.insertNew('meta', [row, { key: 'x2', value: '' }]))).toBe(1)
  })

  it('refuses a value that no database knows', async () => {
    await expect(
      db.read((tx) =>
        tx.rows(
          query
            .selectFrom('meta')
            .selectAll()
            .where(sql<boolean>`value = ${true}`),
        ),
      ),
    ).rejects.toThrow(TypeError)
  })

  it('gives out each id once, and run ids that carry their time', async () => {
    const ids = new RunIds(db, () => T0)
    const blocks = await Promise.all(Array.from({ length: 50 }, (_, n) => ids.take(1 + ((n * 97) % 4096))))
    const all = blocks.flatMap((first, n) => Array.from({ length: 1 + ((n * 97) % 4096) }, (_, k) => first + k))
    expect(new Set(all).size).toBe(all.length)
    for (const first of blocks) expect(instantOfId(first)).toBeGreaterThanOrEqual(T0)
    const later = await takeRunIds(db, T0 - 3_600_000, 5)
    expect(later, 'a clock that went back').toBeGreaterThan(Math.max(...all))
    expect(await takeRunIds(db, T0 + 60_000, 5)).toBe(floorOfInstant(T0 + 60_000))
    const entities = await Promise.all(Array.from({ length: 30 }, () => db.write('rest', takeEntityId)))
    expect(new Set(entities).size).toBe(30)
  })

  it('gives out no id twice while some make sure of ids and others take some, and none of a block that is older than 10 s', async () => {
    let now = T0
    const ids = new RunIds(db, () => now)
    const sure = async (): Promise<number[]> => {
      await ids.ensure(100)
      return Array.from({ length: Math.min(100, ids.atHand) }, () => ids.next())
    }
    const one = async (): Promise<number[]> => [await ids.take(1)]
    const all = (await Promise.all([sure(), one(), sure(), one(), sure(), one()])).flat()
    expect(new Set(all).size).toBe(all.length)
    now += 11_000
    await ids.ensure(1)
    expect(instantOfId(ids.next())).toBe(now)
  })
})

describe('a store in a file', () => {
  it('shows a reader one consistent view while a writer goes on', async () => {
    const { db, remove } = await fileStore()
    const count = 'SELECT COUNT(*) AS n FROM instance'
    await db.read(async (tx) => {
      expect(await tx.all(count)).toEqual([{ n: 0 }])
      await db.write('rest', (inner) => inner.insert('instance', [endedRow(1)]))
      expect(await tx.all(count)).toEqual([{ n: 0 }])
    })
    expect(await db.read((tx) => tx.all(count))).toEqual([{ n: 1 }])
    await remove()
  })
})
