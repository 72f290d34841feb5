import { AppError, type AuditQuery } from '@tickwheel/contract'
import { id, type Scope } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeAudit, type AuditEntry } from './audit.ts'
import { exportAudit, getAuditEntry, listAudit, sizeOfExport } from './audit-list.ts'
import { SYSTEM, type Caller } from './caller.ts'
import { query, type Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { addGroup, memoryStore, T0 } from './store.fixture.ts'

const MINUTE = 60_000
const idAt = (n: number): number => floorOfInstant(T0 + n * MINUTE)
const all = (): boolean => true
const one: Scope = [id<'group'>(1)]
let db: Database
beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1, 'billing')
})
afterEach(() => db.close())

function by(name: string, ip = '10.0.0.1', kind: Caller['actor']['kind'] = 'user'): Caller {
  return { actor: { kind, id: 7, name }, ip, requestId: `r-${name}` }
}

async function put(entries: readonly (Partial<AuditEntry> & { readonly n: number; readonly caller?: Caller })[]): Promise<void> {
  await db.write('rest', async (tx) => {
    for (const { n, caller = by('ann'), ...entry } of entries) {
      await writeAudit(tx, T0 + n * MINUTE, idAt(n), caller, {
        action: 'task:edit',
        resource: { kind: 'task', id: 5, key: 'billing/nightly' },
        groupId: 1,
        ...entry,
      })
    }
  })
}

const found = async (asked: AuditQuery, scope: Scope = 'all'): Promise<number[]> =>
  (await listAudit(db, scope, asked)).items.map((item) => (item.id - idAt(0)) / (idAt(1) - idAt(0)))
async function read<Entry>(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const all: Entry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}
const at = (n: number): string => new Date(T0 + n * MINUTE).toISOString()

describe('the audit log', () => {
  beforeEach(() =>
    put([
      { n: 1, before: { name: 'a' }, after: { name: 'b' } },
      { n: 2, action: 'task:create', after: { name: 'b', tags: [] } },
      { n: 3, caller: by('Bob_1', '10.0.0.2'), action: 'group:edit', resource: { kind: 'group', id: 2, key: 'other' }, groupId: 2 },
      { n: 4, caller: by('bot', '::1', 'token'), action: 'auth:login', resource: { kind: 'user', id: 7, key: 'bot' }, groupId: null },
      { n: 5, caller: by('Bob_1'), action: 'task:run', outcome: 'refused', code: 'FORBIDDEN', count: 3 },
      { n: 6, caller: SYSTEM, action: 'task:pause' },
    ]),
  )

  it.each<{ why: string; asked: AuditQuery; scope?: Scope; n: number[] }>([
    { why: 'is newest first', asked: {}, n: [6, 5, 4, 3, 2, 1] },
    { why: 'is that of the groups one may see, without what belongs to none', asked: {}, scope: one, n: [6, 5, 2, 1] },
    { why: 'has nothing for a group one may not see', asked: { groupId: 2 }, scope: one, n: [] },
    { why: 'has nothing without any group', asked: {}, scope: [], n: [] },
    { why: 'from an instant on', asked: { from: at(5) }, n: [6, 5] },
    { why: 'until before an instant', asked: { to: at(2) }, n: [1] },
    { why: 'by part of a name, whatever its case, with signs that SQL knows', asked: { actor: 'ob_' }, n: [5, 3] },
    { why: 'by kind of actor', asked: { actorKind: 'system' }, n: [6] },
    { why: 'by actor', asked: { actorKind: 'user', actorId: 7 }, n: [5, 3, 2, 1] },
    { why: 'by action', asked: { action: 'task:run' }, n: [5] },
    { why: 'by several actions, and all of a kind', asked: { action: 'task:*, group:edit' }, n: [6, 5, 3, 2, 1] },
    { why: 'by thing', asked: { resourceKind: 'group', resourceId: 2 }, n: [3] },
    { why: 'by outcome', asked: { outcome: 'refused' }, n: [5] },
    { why: 'by address', asked: { ip: '10.0.0.2' }, n: [3] },
    { why: 'by a word of it', asked: { keyword: 'NIGHT' }, n: [6, 5, 2, 1] },
    { why: 'by a code', asked: { keyword: 'forbid' }, n: [5] },
  ])('$why', async ({ asked, scope, n }) => {
    expect(await found(asked, scope)).toEqual(n)
    expect((await listAudit(db, scope ?? 'all', asked)).total).toBe(n.length)
  })

  it('goes on by a cursor, without gap and repeat', async () => {
    const asked = { pageSize: 4, keyword: 'a' }
    const { nextCursor } = await listAudit(db, 'all', asked)
    const pages = [await found(asked), await found({ ...asked, cursor: nextCursor ?? '' })]
    expect(pages).toEqual([[6, 5, 4, 2], [1]])
  })

  it('tells which fields were changed, and what they were', async () => {
    const { items } = await listAudit(db, 'all', { to: at(2) })
    expect(items).toMatchObject([{ changed: ['name'], groupName: 'billing', actor: { kind: 'user', id: 7, name: 'ann' } }])
    expect(await getAuditEntry(db, one, idAt(1), all)).toMatchObject({ before: { name: 'a' }, after: { name: 'b' } })
  })

  it('hides what was changed from who may not see the parameters', async () => {
    const asked: unknown[] = []
    const entry = await getAuditEntry(db, one, idAt(1), (...what) => asked.push(what) < 0)
    expect([entry, asked]).toMatchObject([{ before: null, after: null, hidden: ['before', 'after'] }, [['task', 1]]])
  })

  it.each([
    ['of another group', 3],
    ['of no group', 4],
    ['that there is not', 99],
  ])('does not show an entry %s', async (_which, n) => {
    await expect(getAuditEntry(db, one, idAt(n), all)).rejects.toMatchObject({ code: 'AUDIT_ENTRY_NOT_FOUND' })
  })

  it.each<[string, AuditQuery]>([
    ['a cursor of something else', { cursor: 'x' }],
    ['no action', { action: ',' }],
    ['too many actions', { action: Array.from({ length: 21 }, (_, n) => `a:${n}`).join(',') }],
  ])('refuses %s', async (_what, asked) => {
    await expect(listAudit(db, 'all', asked)).rejects.toBeInstanceOf(AppError)
  })

  it('is exported as it is listed, only what is below the export', async () => {
    expect(await sizeOfExport(db, one, { action: 'task:*' })).toBe(4)
    const asked = { filter: { action: 'task:*' }, belowId: idAt(6), mayViewParams: all }
    const entries = await read(exportAudit(db, one, asked))
    expect(entries.map((entry) => entry.action)).toEqual(['task:run', 'task:create', 'task:edit'])
    expect(await read(exportAudit(db, [], asked))).toEqual([])
  })
})

describe('a long audit log', () => {
  it('is looked through a stretch at a time, and says where to go on', async () => {
    await put([{ n: -1, action: 'group:edit' }])
    const [row] = await db.read((tx) => tx.rows(query.selectFrom('audit').selectAll()))
    if (row === undefined) expect.fail('there is no entry')
    const many = Array.from({ length: 20_001 }, (_, n) => ({ ...row, id: idAt(0) + n, action: 'task:edit' }))
    await db.write('rest', (tx) => tx.insert('audit', many))
    const first = await listAudit(db, 'all', { action: 'group:edit' })
    expect(first).toMatchObject({ items: [], total: 0, totalCapped: true, nextCursor: expect.any(String) })
    const second = await listAudit(db, 'all', { action: 'group:edit', cursor: first.nextCursor ?? '' })
    expect(second).toMatchObject({ items: [{ action: 'group:edit' }], nextCursor: null })
    expect(await sizeOfExport(db, 'all', { action: 'group:edit' })).toBe(1)
    expect((await listAudit(db, 'all', {})).totalCapped).toBe(true)
  })
})
