import { describe, expect, it } from 'vitest'
import { fileStore, memoryStore } from '../store.fixture.ts'

describe('a store of SQLite', () => {
  it.each([
    ['in memory', memoryStore],
    ['in a file', async () => (await fileStore()).db],
  ])('%s lets writers go one after the other, however many come at once', async (_where, open) => {
    const db = await open()
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        db.write('rest', async (tx) => {
          const before = await tx.all<{ n: number }>("SELECT COUNT(*) AS n FROM meta WHERE `key` LIKE 'x%'")
          await new Promise((resolve) => setImmediate(resolve))
          await tx.insert('meta', [{ key: `x${before[0]?.n}`, value: String(n) }])
        }),
      ),
    )
    const rows = await db.read((tx) => tx.all("SELECT `key` FROM meta WHERE `key` LIKE 'x%'"))
    expect(rows).toHaveLength(20)
    await db.close()
  })

  it('gives freed space back', async () => {
    const { db, remove } = await fileStore()
    const pages = async () => (await db.read((tx) => tx.all<{ page_count: number }>('PRAGMA page_count')))[0]?.page_count ?? 0
    await db.write('rest', (tx) =>
      tx.insert(
        'payload',
        Array.from({ length: 1000 }, (_, n) => ({ instance_id: n + 1, kind: 1, body: 'x'.repeat(60_000) })),
      ),
    )
    const full = await pages()
    expect(await db.compact?.()).toBe(false)
    await db.write('rest', (tx) => tx.run('DELETE FROM payload'))
    while (await db.compact?.()) {
      /* bounded steps */
    }
    expect(await pages()).toBeLessThan(full - 3000)
    await remove()
  })
})
