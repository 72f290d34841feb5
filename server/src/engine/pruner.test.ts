import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addCounts, METRIC } from '../store/counters.ts'
import type { Database } from '../store/database.ts'
import { floorOfInstant } from '../store/ids.ts'
import type { LogStore } from '../store/logs.ts'
import { addGroup, endedRow, logsOf, memoryStore, openRow, T0 } from '../store/store.fixture.ts'
import { Pruner } from './pruner.ts'

const DAY = 86_400_000
const ago = (days: number): number => floorOfInstant(T0 - days * DAY)
let db: Database
let logs: LogStore
beforeEach(async () => {
  db = await memoryStore()
  logs = logsOf(db)
  await addGroup(db, 1)
})
afterEach(async () => {
  logs.close()
  await db.close()
})

const count = async (table: string): Promise<number | undefined> =>
  (await db.read((tx) => tx.all<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`)))[0]?.n
async function prune(retention = {}): Promise<number> {
  const pruner = new Pruner({ db, logs, retention })
  let steps = 1
  while (await pruner.step(T0)) steps += 1
  return steps
}

describe('retention', () => {
  it('forgets runs after 30 days and failures after 90, with what belongs to them, and no open run', async () => {
    const rows = [
      endedRow(ago(29)),
      endedRow(ago(31)),
      endedRow(ago(31) + 1, { outcome: 6 }),
      endedRow(ago(31) + 2, { outcome: 4, group_id: 99 }),
      endedRow(ago(89), { outcome: 2 }),
      endedRow(ago(91), { outcome: 2 }),
      endedRow(ago(91) + 1, { outcome: 5 }),
    ]
    await db.write('rest', async (tx) => {
      await tx.insert('instance', rows)
      await tx.insert('open_instance', [openRow(ago(200))])
      await tx.insert(
        'payload',
        rows.map((row) => ({ instance_id: row.id, kind: 1, body: 'x' })),
      )
      await tx.insert(
        'retry_link',
        rows.map((row) => ({ instance_id: row.id, retry_id: 1 })),
      )
    })
    await prune()
    const left = await db.read((tx) => tx.all<{ id: number }>('SELECT id FROM instance ORDER BY id'))
    expect(left.map((row) => row.id)).toEqual([ago(89), ago(29)])
    expect([await count('payload'), await count('retry_link'), await count('open_instance')]).toEqual([2, 2, 1])
  })

  it('follows the settings', async () => {
    await db.write('rest', (tx) =>
      tx.insert('instance', [endedRow(ago(3)), endedRow(ago(3) + 1, { outcome: 2 }), endedRow(ago(8), { outcome: 2 })]),
    )
    await prune({ runsDays: 2, failuresDays: 7 })
    expect(await count('instance')).toBe(1)
  })

  it('deletes in batches, and rests after a round', async () => {
    await db.write('rest', (tx) =>
      tx.insert(
        'instance',
        Array.from({ length: 1234 }, (_, n) => endedRow(ago(40) + n)),
      ),
    )
    const pruner = new Pruner({ db, logs })
    await pruner.step(T0)
    expect(await count('instance')).toBe(734)
    while (await pruner.step(T0)) {
      /* bounded steps */
    }
    expect(await count('instance')).toBe(0)
    await db.write('rest', (tx) => tx.insert('instance', [endedRow(ago(40))]))
    expect(await pruner.step(T0 + 599_999)).toBe(false)
    expect(await pruner.step(T0 + 600_000)).toBe(true)
  })

  it('forgets ledger, audit, answers, sign-ins and logs in their time', async () => {
    const old = T0 - 366 * DAY
    await db.write('rest', async (tx) => {
      for (const at of [old, T0 - 364 * DAY]) {
        // ids count from 2026, so an entry of the year before has none of its own: a shorter keep here
        const auditAt = at === old ? T0 - 301 * DAY : T0 - 299 * DAY
        await tx.insert('firing', [{ due_at: at, series_id: 1, prev_due_at: 0, task_version: 1, instance_id: 1 }])
        await tx.insert('firing_hour', [
          { hour_at: at, series_id: 1, fired: 61, first_due_at: at, last_due_at: at, first_id: 1, last_id: 1 },
        ])
        await tx.run(
          "INSERT INTO audit (id, at, actor_kind, actor_name, ip, request_id, action, resource_kind, resource_key, outcome, `count`) VALUES (?, ?, 'system', '', '', '', 'x', 'x', 'x', 'done', 1)",
          [floorOfInstant(auditAt), auditAt],
        )
      }
      for (const [index, hours] of [25, 23].entries()) {
        await tx.insert('request_key', [{ key_hash: `k${index}`, answer: '{}', at: T0 - hours * 3_600_000 }])
        await tx.insert('session', [
          {
            id: `s${index}`,
            user_id: 1,
            refresh_hash: '',
            previous_hash: null,
            created_at: 0,
            rotated_at: 0,
            expires_at: T0 - hours * 3_600_000,
            ended_at: null,
            limited: 0,
            ip: '',
          },
        ])
      }
    })
    await logs.append([
      { instanceId: ago(31), attempt: 1, firstSeq: 1, lines: [[T0, 0, 1, 'old']] },
      { instanceId: ago(29), attempt: 1, firstSeq: 1, lines: [[T0, 0, 1, 'new']] },
    ])
    await prune({ auditDays: 300 })
    expect(await Promise.all(['firing', 'firing_hour', 'audit', 'request_key', 'session'].map(count))).toEqual([1, 1, 1, 1, 1])
    expect((await logs.read(ago(31), { after: 0, limit: 9, ended: true })).lines).toEqual([])
    expect((await logs.read(ago(29), { after: 0, limit: 9, ended: true })).lines).toHaveLength(1)
  })

  it('forgets tokens that were revoked or expired 90 days ago, with what they were bound to', async () => {
    const days = (n: number): number => T0 - n * 86_400_000
    const token = (id: number, expiresAt: number | null, revokedAt: number | null) => ({
      id,
      kind: 'api',
      name: `t${id}`,
      hash: '',
      group_ids: '[]',
      created_at: 0,
      created_by: 1,
      expires_at: expiresAt,
      last_used_at: null,
      revoked_at: revokedAt,
      rate_limit: null,
      addresses: null,
    })
    const ids = [901, 902, 903, 904]
    await db.write('rest', async (tx) => {
      await tx.insert('token', [
        token(901, days(91), null),
        token(902, null, days(91)),
        token(903, days(89), days(89)),
        token(904, days(-1), null),
      ])
      await tx.insert(
        'access_binding',
        ids.map((id) => ({ holder_kind: 'token', holder_id: id, no: 0, role_key: 'viewer', group_ids: null })),
      )
    })
    await prune({})
    const left = async (sql: string) => (await db.read((tx) => tx.all<{ id: number }>(sql))).map(({ id }) => id)
    expect(await left('SELECT id FROM token WHERE id > 900 ORDER BY id')).toEqual([903, 904])
    expect(await left("SELECT holder_id AS id FROM access_binding WHERE holder_kind = 'token' ORDER BY holder_id")).toEqual([903, 904])
  })

  it('forgets incidents that are over after 90 days, with their runs, and messages after 30', async () => {
    const incident = (id: number, state: number) =>
      `INSERT INTO incident SELECT ${id}, 1, 'r', 1, 1, 1, 5, 't', ${state}, 1, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, '[]', '{}'`
    const delivery = (id: number, state: number) =>
      `INSERT INTO delivery SELECT ${id}, NULL, 1, 1, 1, 'opened', 1, '{}', ${state}, 0, 0, 0, NULL, NULL, NULL, NULL`
    await db.write('rest', async (tx) => {
      for (const text of [incident(ago(91), 3), incident(ago(92), 1), incident(ago(89), 3)]) await tx.run(text)
      for (const text of [delivery(ago(31), 2), delivery(ago(32), 1), delivery(ago(29), 3)]) await tx.run(text)
      await tx.insert('incident_run', [
        { incident_id: ago(91), instance_id: 1, outcome: 2, at: 0 },
        { incident_id: ago(89), instance_id: 1, outcome: 2, at: 0 },
      ])
    })
    await prune()
    const ids = async (table: string): Promise<number[]> =>
      (await db.read((tx) => tx.all<{ id: number }>(`SELECT id FROM ${table} ORDER BY id`))).map((row) => row.id)
    expect(await ids('incident')).toEqual([ago(92), ago(89)])
    expect(await ids('delivery')).toEqual([ago(32), ago(29)])
    expect(await count('incident_run')).toBe(1)
  })

  it('forgets how late runs started after 35 days, and how they ended after 400', async () => {
    for (const days of [1, 34, 36, 399, 401])
      await db.write('rest', (tx) =>
        addCounts(
          tx,
          T0 - days * DAY,
          [1, METRIC.start + 7].map((metric) => ({ groupId: 1, metric, n: 1 })),
        ),
      )
    await prune()
    const left = await db.read((tx) =>
      tx.all<{ hour_at: number; metric: number }>('SELECT hour_at, metric FROM counter ORDER BY hour_at, metric'),
    )
    // starts are looked for in three days: what a server slept through goes with the rest
    expect(left.map(({ hour_at: at, metric }) => [Math.round((T0 - at) / DAY), metric])).toEqual([
      [399, 1],
      [399, METRIC.start + 7],
      [36, 1],
      [34, 1],
      [34, METRIC.start + 7],
      [1, 1],
      [1, METRIC.start + 7],
    ])
  })

  it('looks at the skips of every series', async () => {
    const skip = (seriesId: number, n: number, days: number) => ({
      series_id: seriesId,
      from_at: T0 - days * DAY + n,
      to_at: T0 - days * DAY + n,
      prev_due_at: 0,
      count: 1,
      reason: 60,
      facts: '{}',
      instance_id: null,
      decided_at: 0,
    })
    await db.write('rest', (tx) =>
      tx.insert('skip', [
        ...Array.from({ length: 1100 }, (_, n) => skip(1, n, 400)),
        ...Array.from({ length: 700 }, (_, n) => skip(1, n, 10)),
        ...Array.from({ length: 700 }, (_, n) => skip(2, n, 10)),
        ...Array.from({ length: 300 }, (_, n) => skip(3, n, 400)),
        skip(4, 0, 10),
        skip(9, 0, 400),
      ]),
    )
    await prune()
    const left = await db.read((tx) =>
      tx.all<{ series_id: number; n: number }>('SELECT series_id, COUNT(*) AS n FROM skip GROUP BY series_id'),
    )
    expect(left).toEqual([
      { series_id: 1, n: 700 },
      { series_id: 2, n: 700 },
      { series_id: 4, n: 1 },
    ])
  })
})
