import { OUTCOME, RuleIndex, slotOf, type AlarmMessage } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addChannel, addRule, incidentsOf, outbox } from '../engine/alarms.fixture.ts'
import { silenceRule, watchRules } from './alarm-rules.ts'
import { pendingAlarms } from './alarm-signals.ts'
import { dueRules, turnOfRule, type TurnOutcome } from './alarm-turn.ts'
import type { Database } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { endRuns } from './run-writes.ts'
import { addGroup, changeAt, memoryStore, openRow, T0 } from './store.fixture.ts'

let db: Database
let ids = floorOfInstant(T0)
const ALL_SLOTS: ReadonlySet<number> = new Set(Array.from({ length: 256 }, (_, slot) => slot))

beforeEach(async () => {
  db = await memoryStore()
  await addGroup(db, 1)
  await addChannel(db)
})
afterEach(async () => {
  // a store on MySQL is lent again
  await db.read(async (tx) => {
    tx.watch.rules = RuleIndex.EMPTY
  })
  await db.close()
})

async function rule(...more: Parameters<typeof addRule> extends [unknown, unknown, ...infer Rest] ? Rest : never): Promise<number> {
  const ruleId = await addRule(db, T0, ...more)
  await watchRules(db, -1)
  return ruleId
}

/** Ends runs of tasks, all in one transaction; the ids of the runs. */
async function end(
  taskIds: readonly number[],
  outcome: number = OUTCOME.failed,
  more: Parameters<typeof openRow>[1] = {},
): Promise<number[]> {
  const rows = taskIds.map((taskId) => openRow((ids += 1), { task_id: taskId, phase: 4, started_at: T0, ...more }))
  await db.write('report', async (tx) => {
    await tx.insert('open_instance', rows)
    await endRuns(
      tx,
      T0,
      (ids += 1000),
      rows.map((row) => ({ row, outcome, endedAt: T0 + 100, result: null, error: { code: 'E', message: 'x'.repeat(500) }, trace: [] })),
    )
  })
  return rows.map((row) => row.id)
}

async function turn(ruleId: number, now = T0 + 1000): Promise<TurnOutcome> {
  const signals = (await pendingAlarms(db, ALL_SLOTS, 500)).filter((signal) => signal.rule_id === ruleId)
  return turnOfRule(db, { ruleId, signals, now, firstId: (ids += 1000) })
}

describe('a turn of a rule', () => {
  it('makes 500 failures of 300 tasks 200 incidents and one for the rest, one message, and no signal is left', async () => {
    const ruleId = await rule([{ event: 'failed' }])
    await end(Array.from({ length: 500 }, (_, index) => 1 + (index % 300)))
    expect(await turn(ruleId)).toMatchObject({ kind: 'done', told: true })
    const incidents = await incidentsOf(db)
    expect(incidents).toHaveLength(201)
    expect(incidents.reduce((sum, row) => sum + row.count, 0)).toBe(500)
    expect(incidents.at(-1)).toMatchObject({ target_kind: 3, target_id: 1, target_name: 'group 1' })
    const [sent, ...more] = await outbox(db)
    expect([sent?.message.kind, sent?.message.facts, more]).toEqual(['digest', { incidents: 201 }, []])
    expect(await pendingAlarms(db, ALL_SLOTS, 1)).toEqual([])
  })

  it('that another has taken does nothing', async () => {
    const ruleId = await rule([{ event: 'failed' }])
    await end([1, 2])
    const signals = await pendingAlarms(db, ALL_SLOTS, 500)
    const outcomes = await Promise.all([1, 2].map((n) => turnOfRule(db, { ruleId, signals, now: T0 + 1000, firstId: ids + n * 1000 })))
    expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual(['done', 'overtaken'])
    expect((await incidentsOf(db)).map((row) => row.count)).toEqual([1, 1])
    expect(await outbox(db)).toHaveLength(1)
  })

  it('keeps of an error what a message can hold', async () => {
    const ruleId = await rule([{ event: 'failed' }])
    const [runId] = await end([1])
    await turn(ruleId)
    const message: AlarmMessage | undefined = (await outbox(db))[0]?.message
    expect(message?.runs).toEqual([{ id: runId, outcome: 'failed', at: T0 + 100, error: 'x'.repeat(200) }])
  })

  it('is due when its rule was made or silenced, and for whoever has the slot', async () => {
    const ruleId = await rule([{ event: 'failed' }])
    expect(await dueRules(db, ALL_SLOTS, T0, 10)).toEqual([ruleId])
    expect(await dueRules(db, new Set([(slotOf('alarm', ruleId) + 1) % 256]), T0, 10)).toEqual([])
    await turn(ruleId)
    expect(await dueRules(db, ALL_SLOTS, T0 + 86_400_000, 10)).toEqual([])
    await silenceRule(db, { ruleId, until: T0 + 60_000 }, changeAt(T0))
    expect(await dueRules(db, ALL_SLOTS, T0, 10)).toEqual([ruleId])
  })

  it('waits for a minute when its channel has had ten messages, and then tells all of it', async () => {
    for (let n = 0; n < 10; n += 1) {
      const other = await rule([{ event: 'failed' }], { taskIds: [], channelIds: [900] })
      await end([n + 1])
      await turn(other)
      await db.write('rest', (tx) => tx.run('DELETE FROM alarm_signal'))
    }
    expect(await outbox(db)).toHaveLength(10)
    const ruleId = await rule([{ event: 'failed' }])
    await end([50, 51])
    await turn(ruleId, T0 + 2000)
    expect(await outbox(db)).toHaveLength(10)
    await turn(ruleId, T0 + 30_000)
    expect(await outbox(db)).toHaveLength(10)
    await turn(ruleId, T0 + 62_000)
    expect((await outbox(db)).slice(10).map(({ message }) => [message.kind, message.rule?.id])).toEqual([['digest', ruleId]])
  })
})

it('a shard, a step that its workflow defines, and a canceled run leave nothing; a run of a workflow does', async () => {
  await rule([{ event: 'failed' }, { event: 'lost' }])
  await end([1], OUTCOME.failed, { cause: 7, parent_id: 5 })
  await end([2], OUTCOME.failed, { workflow_run_id: 9, workflow_id: 2, step_no: 1 })
  await end([3], OUTCOME.canceled)
  expect(await pendingAlarms(db, ALL_SLOTS, 10)).toEqual([])
  await end([4], OUTCOME.lost, { runs_workflow: 1 })
  expect(await pendingAlarms(db, ALL_SLOTS, 10)).toMatchObject([{ target_kind: 2, target_id: 4, event: 3 }])
})
