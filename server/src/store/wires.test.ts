import { PHASE } from '@tickwheel/core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import type { OpenInstanceRow } from './schema.ts'
import { addGroup, changeAt, memoryStore, openRow, T0, taskInput } from './store.fixture.ts'
import { createTask } from './tasks.ts'
import { claimWires, openWiresOf, pruneWires, wiresById } from './wires.ts'

const AT = T0 + 5000
let db: Database
let taskId: number

beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
  const input = taskInput({ timeoutMs: 7000, overlap: { policy: 'replace' } })
  taskId = (await createTask(db, { input, serverZone: 'UTC' }, changeAt(T0))).taskId
})

async function dispatched(id: number, more: Partial<OpenInstanceRow> = {}): Promise<void> {
  const row = openRow(id, {
    phase: PHASE.dispatched,
    task_id: taskId,
    task_version: 1,
    attempt: 1,
    executor_id: 3,
    boot_id: 30,
    sent_at: T0,
    ...more,
  })
  await db.write('rest', (tx) => tx.insert('open_instance', [row]))
}

const claim = (wireId: number, instanceId: number, more: object = {}) => ({
  wireId,
  instanceId,
  attempt: 1,
  executorId: 3,
  bootId: 30,
  ...more,
})

describe('the number of an attempt', () => {
  it('is given once: who asks again, here or at another node, must not send', async () => {
    await dispatched(1)
    const [fresh] = await claimWires(db, AT, [claim(100, 1)])
    const wire = { id: 100, instance_id: 1, attempt: 1, executor_id: 3, boot_id: 30, log_at: AT, timeout_ms: 7000 }
    expect(fresh).toEqual({ kind: 'fresh', wire, task: { savedAt: T0, overlap: 'replace' } })
    expect(await claimWires(db, AT + 1, [claim(101, 1)])).toEqual([{ kind: 'sent', wire }])
  })

  it('is given once also within one batch', async () => {
    await dispatched(1)
    expect((await claimWires(db, AT, [claim(100, 1), claim(101, 1)])).map(({ kind }) => kind)).toEqual(['fresh', 'sent'])
  })

  it.each([
    ['it is at another executor', {}, { executorId: 4 }],
    ['it is of another boot', {}, { bootId: 31 }],
    ['it is another attempt', { attempt: 2 }, {}],
    ['it waits', { phase: PHASE.queued }, {}],
  ])('is not given when %s', async (_why, row, asked) => {
    await dispatched(1, row)
    expect(await claimWires(db, AT, [claim(100, 1, asked), claim(101, 2)])).toEqual([{ kind: 'gone' }, { kind: 'gone' }])
  })

  it('is not given to a run that is to be stopped, but found for one that was sent before', async () => {
    await dispatched(1, { cancel_at: AT })
    expect(await claimWires(db, AT, [claim(100, 1)])).toEqual([{ kind: 'canceled' }])
    await dispatched(2)
    await claimWires(db, AT, [claim(101, 2)])
    await db.write('rest', (tx) => tx.run('UPDATE open_instance SET cancel_at = ? WHERE id = 2', [AT]))
    expect(await claimWires(db, AT, [claim(102, 2)])).toMatchObject([{ kind: 'sent' }])
  })

  it('leads to the attempt, and tells how it stands while that is open', async () => {
    await dispatched(1, { started_at: AT })
    await dispatched(2)
    await claimWires(db, AT, [claim(100, 1), claim(101, 2)])
    await db.write('rest', (tx) => tx.run('UPDATE open_instance SET attempt = 2 WHERE id = 2'))
    expect(await wiresById(db, [100, 101, 102])).toMatchObject([
      { id: 100, instance_id: 1, task_id: taskId, started_at: AT, cancel_at: null },
      { id: 101, instance_id: 2, task_id: null, started_at: null },
    ])
    expect((await openWiresOf(db, 3)).map((wire) => wire.id)).toEqual([100])
    expect(await openWiresOf(db, 4)).toEqual([])
  })

  it('is forgotten when no run can be so old', async () => {
    const old = floorOfInstant(T0)
    await dispatched(1)
    await dispatched(2)
    await claimWires(db, AT, [claim(old, 1), claim(floorOfInstant(T0 + 10_000), 2)])
    expect(await pruneWires(db, T0 + 5000)).toBe(1)
    expect(await wiresById(db, [old])).toEqual([])
  })
})
