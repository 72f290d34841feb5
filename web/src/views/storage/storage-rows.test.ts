import { describe, expect, it } from 'vitest'
import type { StorageTable } from '../../api/storage.ts'
import { daysOf, growthOfDay, kindSums, largest } from './storage-rows.ts'

const table = (name: string, kind: StorageTable['kind'], bytes: number): StorageTable => ({ table: name, kind, rows: 1, bytes, indexBytes: bytes, isEstimated: false })

describe('what the store takes', () => {
  it('is summed by what it is for, the most first', () => {
    expect(kindSums([table('audit', 'audit', 5), table('instance', 'runs', 10), table('attempt', 'runs', 1), table('x', 'other', 0)])).toEqual([
      { kind: 'runs', bytes: 22 },
      { kind: 'audit', bytes: 10 },
    ])
    expect([largest([]), largest([table('a', 'runs', 4)])]).toEqual([1, 8])
  })

  it('grows by so much a day as the days between tell', () => {
    const at = (day: number, bytes: number) => ({ at: new Date(Date.UTC(2026, 10, day)).toISOString(), bytes, runs: 0 })
    expect(growthOfDay([at(1, 100), at(2, 500), at(5, 500)])).toBe(100)
    expect(growthOfDay([at(1, 100)])).toBeNull()
    expect(growthOfDay([])).toBeNull()
  })

  it('is kept for so long as the settings say', () => {
    expect(daysOf({ runsDays: 1, failuresDays: 2, logsDays: 3, auditDays: 5, ledgerDays: 4 }).map(({ name, days }) => `${name} ${days}`)).toEqual([
      'runsDays 1', 'failuresDays 2', 'logsDays 3', 'ledgerDays 4', 'auditDays 5',
    ])
  })
})
