import { describe, expect, it } from 'vitest'
import { batched, inserts } from './mysql-statements.ts'

describe('a statement with many rows of parameters', () => {
  it('becomes a join with a derived table', () => {
    expect(
      batched('UPDATE skip SET to_at = ?, `count` = `count` + ? WHERE series_id = ? AND from_at = ?', [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ]),
    ).toEqual([
      {
        sql: 'UPDATE (SELECT ? AS p0, ? AS p1, ? AS p2, ? AS p3 UNION ALL SELECT ?, ?, ?, ?) AS v STRAIGHT_JOIN skip ON series_id = v.p2 AND from_at = v.p3 SET to_at = v.p0, `count` = `count` + v.p1',
        params: [1, 2, 3, 4, 5, 6, 7, 8],
      },
    ])
    expect(batched('DELETE FROM firing WHERE due_at = ? AND series_id = ?', [[1, 2]])).toEqual([
      {
        sql: 'DELETE firing FROM (SELECT ? AS p0, ? AS p1) AS v STRAIGHT_JOIN firing ON due_at = v.p0 AND series_id = v.p1',
        params: [1, 2],
      },
    ])
  })

  it('never has a key twice in one batch, nor more than 200 rows', () => {
    const rows = [
      [1, 7],
      [2, 8],
      [3, 7],
      [4, 7],
    ]
    expect(batched('UPDATE t SET a = ? WHERE id = ?', rows)?.map((one) => one.params)).toEqual([
      [1, 7, 2, 8],
      [3, 7],
      [4, 7],
    ])
    expect(
      batched(
        'UPDATE t SET a = ? WHERE id = ?',
        Array.from({ length: 450 }, (_, n) => [1, n]),
      )?.map((one) => one.params.length / 2),
    ).toEqual([200, 200, 50])
    expect(
      batched(
        'UPDATE t SET a = ? WHERE id = ?',
        Array.from({ length: 4 }, (_, n) => ['x'.repeat(1_500_000), n]),
      )?.length,
    ).toBe(4)
  })

  it('is left alone in another form', () => {
    expect(batched('INSERT INTO t (a) VALUES (?)', [[1], [2]])).toBeNull()
  })
})

describe('inserts', () => {
  it('come in fixed sizes that are prepared, the rest in one', () => {
    const sizes = inserts(
      'INSERT',
      'meta',
      Array.from({ length: 1234 }, (_, n) => ({ key: `k${n}`, value: '' })),
    ).map((one) => [one.params.length / 2, one.isPrepared])
    expect(sizes).toEqual([
      [500, true],
      [500, true],
      [100, true],
      [100, true],
      [34, false],
    ])
    expect(inserts('INSERT', 'meta', [])).toEqual([])
  })

  it('stay below the size of a packet', () => {
    const sizes = inserts(
      'INSERT',
      'meta',
      Array.from({ length: 5 }, (_, n) => ({ key: `k${n}`, value: 'x'.repeat(1_000_000) })),
    ).map((one) => one.params.length / 2)
    expect(sizes).toEqual([2, 2, 1])
  })
})
