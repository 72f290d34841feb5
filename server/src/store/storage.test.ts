import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { addGroup, endedRow, fileStore, T0 } from './store.fixture.ts'
import { notePruned, storage } from './storage.ts'

const DAY = 86_400_000
let db: Database
let remove: () => Promise<void>
beforeEach(async () => {
  const store = await fileStore()
  db = store.db
  remove = store.remove
  await addGroup(db, 1)
})
afterEach(() => remove())

async function addRuns(count: number, from = 0): Promise<void> {
  const first = floorOfInstant(T0)
  const rows = Array.from({ length: count }, (_, index) => endedRow(first + from + index, { error: 'x'.repeat(index % 200) }))
  await db.write('rest', (tx) => tx.insert('instance', rows))
}
const tableOf = async (name: string) => (await storage(db, T0)).tables.find(({ table }) => table === name)

describe('what the store takes', () => {
  it('is told by table, the largest first, with what each is for', async () => {
    await addRuns(10)
    const { tables, totalBytes, freeBytes } = await storage(db, T0)
    const sizes = tables.map(({ bytes, indexBytes }) => bytes + indexBytes)
    expect(sizes).toEqual(sizes.toSorted((one, other) => other - one))
    expect(totalBytes).toBeGreaterThanOrEqual(sizes.reduce((sum, size) => sum + size, 0) / 2)
    expect(freeBytes).toBeGreaterThanOrEqual(0)
    expect(tables.find(({ table }) => table === 'firing')).toMatchObject({ kind: 'ledger' })
    expect(await tableOf('instance')).toMatchObject({ kind: 'runs' })
    if (!db.dialect.keepsLogs) expect(await tableOf('instance')).toMatchObject({ rows: 10, isEstimated: false })
  })

  it('is about right where it is too much to be counted', async () => {
    if (db.dialect.keepsLogs) return
    await addRuns(20_000)
    const instance = await tableOf('instance')
    expect(instance?.isEstimated).toBe(true)
    expect(Math.abs((instance?.rows ?? 0) / 20_000 - 1)).toBeLessThan(0.3)
    const { tables, totalBytes, freeBytes } = await storage(db, T0)
    const all = tables.reduce((sum, { bytes, indexBytes }) => sum + bytes + indexBytes, 0)
    expect(Math.abs(all / (totalBytes - freeBytes) - 1)).toBeLessThan(0.05)
  })

  it('is remembered once a day, with when retention was last done', async () => {
    expect(await storage(db, T0)).toMatchObject({ prunedAt: null, history: [] })
    for (let day = 0; day < 70; day += 1) await notePruned(db, T0 + day * DAY)
    await notePruned(db, T0 + 69 * DAY + 600_000)
    const { prunedAt, history } = await storage(db, T0 + 70 * DAY)
    expect(prunedAt).toBe(new Date(T0 + 69 * DAY + 600_000).toISOString())
    expect(history).toHaveLength(60)
    expect(history.at(-1)?.at).toBe(new Date(T0 + 69 * DAY).toISOString())
  })

  it('grows by what the counters of the hours say', async () => {
    const rows = [
      { hour_at: T0 - 3_600_000, group_id: 1, metric: 1, lane: 0, n: 5 },
      { hour_at: T0 - 3_600_000, group_id: 1, metric: 2, lane: 0, n: 2 },
      { hour_at: T0 - 3_600_000, group_id: 1, metric: 10, lane: 0, n: 9 },
      { hour_at: T0 - 3 * DAY, group_id: 2, metric: 1, lane: 0, n: 100 },
      { hour_at: T0 - 9 * DAY, group_id: 2, metric: 1, lane: 0, n: 1000 },
    ]
    await db.write('rest', (tx) => tx.insert('counter', rows))
    expect((await storage(db, T0)).growth).toEqual({ day: { runs: 7, firings: 9 }, week: { runs: 107, firings: 9 } })
  })
})
