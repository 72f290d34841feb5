import { id, type Permission, type Scope } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { createGroup } from './groups.ts'
import { insertUser } from './users.ts'
import { search } from './search.ts'
import { changeAt, endedRow, memoryStore, openRow, T0, taskInput } from './store.fixture.ts'
import { createTask, deleteTask } from './tasks.ts'

let db: Database
let billing: number
let orders: number
beforeEach(async () => {
  db = await memoryStore()
  billing = (await createGroup(db, { input: { name: 'Billing', appName: 'billing' } }, changeAt(T0))).groupId
  orders = (await createGroup(db, { input: { name: '订单', appName: 'orders' } }, changeAt(T0))).groupId
})
afterEach(() => db.close())

const task = async (groupId: number, name: string) =>
  (await createTask(db, { input: taskInput({ groupId, name }), serverZone: 'UTC' }, changeAt(T0))).taskId
const everywhere = (): Scope => 'all'
const found = async (q: string, scopeOf: (permission: Permission) => Scope = everywhere) =>
  (await search(db, q, scopeOf)).items.map(({ kind, name }) => `${kind} ${name}`)

describe('the search', () => {
  it('gives what is called so, then what begins so, then what contains it', async () => {
    for (const name of ['nightly-report', 'report-weekly', 'Report', 'the 100% report', 'other']) await task(billing, name)
    expect(await found('REPORT')).toEqual(['task Report', 'task report-weekly', 'task nightly-report', 'task the 100% report'])
  })

  it('takes what stands for any text in LIKE as it is', async () => {
    for (const name of ['100% done', '100 done', 'a_b', 'axb', 'a!b']) await task(billing, name)
    expect(await found('100%')).toEqual(['task 100% done'])
    expect(await found('a_b')).toEqual(['task a_b'])
    expect(await found('a!')).toEqual(['task a!b'])
    expect(await found("' OR 1=1 --")).toEqual([])
  })

  it('finds Chinese names by any part of them', async () => {
    await task(orders, '同步订单到仓库')
    expect(await found('订单')).toEqual(['task 同步订单到仓库', 'group 订单'])
  })

  it('finds by group and name', async () => {
    await task(billing, 'sync')
    await task(orders, 'sync')
    await task(orders, 'sync/all')
    expect((await search(db, 'bill/sy', everywhere)).items.map(({ name, groupName }) => [name, groupName])).toEqual([['sync', 'Billing']])
    expect(await found('订单/')).toEqual(['task sync', 'task sync/all'])
    expect(await found('sync/a')).toEqual(['task sync/all'])
  })

  it('finds a run by its number alone', async () => {
    const taskId = await task(billing, 'sync')
    await db.write('rest', async (tx) => {
      await tx.insert('instance', [endedRow(900_001, { task_id: taskId, group_id: billing })])
      await tx.insert('open_instance', [openRow(900_002, { task_id: taskId, group_id: billing, runs_workflow: 1 })])
    })
    expect(await found('#900001')).toEqual(['run sync'])
    expect(await found('900002')).toEqual(['workflowRun sync'])
    expect(await found('90000')).toEqual([])
  })

  it('finds executors, groups by both names, and users by both names', async () => {
    await db.write('rest', async (tx) => {
      await tx.run(
        "INSERT INTO executor (id, group_id, name, boot_id, recovered_boot, registered_at, state, draining, transport, version, host, pid, capacity, labels, handlers) VALUES (7, ?, 'Orders-01', 1, 1, 0, 1, 0, 'stream', '', '', 0, 1, '{}', '[]')",
        [orders],
      )
      await insertUser(tx, {
        id: 9,
        username: 'wang',
        display_name: '王 Orders',
        password_hash: '',
        must_change: 0,
        first_password: 0,
        disabled: 0,
        is_admin: 0,
        created_at: T0,
        password_at: T0,
      })
    })
    expect((await search(db, 'orders', everywhere)).items).toEqual([
      { kind: 'executor', id: 7, name: 'Orders-01', groupId: orders, groupName: '订单', note: '' },
      { kind: 'group', id: orders, name: '订单', groupId: null, groupName: null, note: 'orders' },
      { kind: 'user', id: 9, name: 'wang', groupId: null, groupName: null, note: '王 Orders' },
    ])
  })

  it('finds calendars of a group, and those of all groups for whoever sees any', async () => {
    const calendar = { description: '', version: 1, rules_version: 1, is_applying: 0, last_day: null, day_count: 0, blackout_count: 0 }
    const row = (calendarId: number, groupId: number, name: string) => ({
      ...calendar,
      id: calendarId,
      group_id: groupId,
      name,
      name_key: name,
      created_at: T0,
      updated_at: T0,
      deleted_at: null,
    })
    await db.write('rest', (tx) =>
      tx.insert('calendar', [row(31, 0, '节假日 all'), row(32, billing, '节假日 billing'), row(33, orders, '节假日 orders')]),
    )
    expect(await found('节假日')).toEqual(['calendar 节假日 all', 'calendar 节假日 orders', 'calendar 节假日 billing'])
    expect(await found('节假日', () => [id<'group'>(orders)])).toEqual(['calendar 节假日 all', 'calendar 节假日 orders'])
  })

  it('shows at most eight of a kind, and says that there are more', async () => {
    for (let n = 1; n <= 9; n += 1) await task(billing, `sync-${n}`)
    const { items, isCut } = await search(db, 'sync', everywhere)
    expect([items.length, isCut]).toEqual([8, true])
    expect((await search(db, 'sync-9', everywhere)).isCut).toBe(false)
  })

  it('never shows what is deleted, nor what belongs to groups that are not visible', async () => {
    const gone = await task(billing, 'sync-gone')
    await deleteTask(db, { taskId: gone, cancelRunning: false }, changeAt(T0))
    const seen = await task(orders, 'sync-orders')
    const hidden = await task(billing, 'sync-billing')
    await db.write('rest', (tx) => tx.insert('instance', [endedRow(900_001, { task_id: hidden, group_id: billing })]))
    const ofOrders = (permission: Permission): Scope => (permission === 'user:view' ? [] : [id<'group'>(orders)])
    expect((await search(db, 'sync', ofOrders)).items.map((hit) => hit.id)).toEqual([seen])
    expect(await found('billing', ofOrders)).toEqual([])
    expect(await found('billing/sync', ofOrders)).toEqual([])
    expect(await found('#900001', ofOrders)).toEqual([])
    expect(await found('sync', () => [])).toEqual([])
  })
})
