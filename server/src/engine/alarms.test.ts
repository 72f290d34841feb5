import { INCIDENT_STATE } from '@tickwheel/core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Session } from '../link/link.ts'
import { acknowledgeIncident, closeIncident, silenceIncident } from '../store/alarm-incidents.ts'
import { deleteRule, silenceRule } from '../store/alarm-rules.ts'
import { raiseAlarms } from '../store/alarm-signals.ts'
import { changeAt, T0 } from '../store/store.fixture.ts'
import { addChannel, addRule, FAILS, incidentsOf, outbox, runOnce } from './alarms.fixture.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

const MANUAL = { schedule: { kind: 'manual' } } as const
const MINUTE = 60_000

let world: World
let executor: Session

/** A world in which a channel is there and the rules that a test adds are known. */
beforeEach(async () => {
  world = await World.create()
  await addChannel(world.db)
  executor = await world.executor()
})

const rule = async (...args: Parameters<typeof addRule> extends [unknown, unknown, ...infer Rest] ? Rest : never): Promise<number> => {
  const ruleId = await addRule(world.db, world.clock.now(), ...args)
  await pass(1000)
  return ruleId
}

/** Time passes, and the executor is heard of. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5000) {
    await world.pass(Math.min(5000, ms - passed))
    await world.beat(executor)
  }
}

const kinds = async (): Promise<string[]> => (await outbox(world.db)).map(({ message }) => message.kind)

describe('a run that fails', () => {
  it('opens one incident and leaves one message; the next failures are counted, and a success is its end', async () => {
    const taskId = await world.task({ ...MANUAL, name: 'backup' })
    const ruleId = await rule([{ event: 'failed' }])
    const first = await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    expect(await outbox(world.db)).toMatchObject([
      {
        message: {
          kind: 'opened',
          event: 'failed',
          rule: { id: ruleId },
          group: { id: 1, name: 'group 1' },
          target: { kind: 'task', id: taskId, name: 'backup' },
          count: 1,
          runs: [{ id: first, outcome: 'failed', error: 'exit 1' }],
        },
      },
    ])
    await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    expect(await incidentsOf(world.db)).toMatchObject([{ state: INCIDENT_STATE.open, count: 2 }])
    expect(await kinds()).toEqual(['opened'])
    await runOnce(world, executor, taskId)
    await pass(MINUTE)
    expect(await incidentsOf(world.db)).toMatchObject([{ state: INCIDENT_STATE.recovered, count: 2, recovered_by: 'success' }])
    expect(await kinds()).toEqual(['opened', 'recovered'])
    // the next failure is another incident
    await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    expect((await incidentsOf(world.db)).map((row) => row.count)).toEqual([2, 1])
  })

  it('is told again at growing intervals while it goes on', async () => {
    const taskId = await world.task(MANUAL)
    await rule([{ event: 'failed' }])
    const begun = world.clock.now()
    for (let minute = 0; minute < 25; minute += 1) {
      await runOnce(world, executor, taskId, FAILS)
      await pass(MINUTE)
    }
    const sent = await outbox(world.db)
    expect(sent.map(({ message }) => message.kind)).toEqual(['opened', 'repeated', 'repeated'])
    expect(sent.map(({ at }) => Math.round((at - begun) / MINUTE))).toEqual([0, 5, 20])
  })

  it.each([
    ['timedOut', { outcome: 'timedOut', error: { code: 'TIMED_OUT', message: 'late' } }],
    ['failed', FAILS],
  ] as const)('that is %s is seen by a rule for that alone', async (event, end) => {
    const taskId = await world.task(MANUAL)
    await rule([{ event }])
    await rule([{ event: event === 'failed' ? 'timedOut' : 'failed' }])
    await runOnce(world, executor, taskId, end)
    await pass(1000)
    expect((await outbox(world.db)).map(({ message }) => message.event)).toEqual([event])
  })

  it('is nothing to a rule that names other tasks, is of another group, or was switched off', async () => {
    const taskId = await world.task(MANUAL)
    const other = await world.task(MANUAL)
    await rule([{ event: 'failed' }], { taskIds: [other] })
    await rule([{ event: 'failed' }], { enabled: false })
    await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    expect(await incidentsOf(world.db)).toEqual([])
  })

  it('by loss of its executor is told', async () => {
    const taskId = await world.task({ ...MANUAL, onLost: 'fail' })
    await rule([{ event: 'lost' }])
    const { instanceId } = await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [sent] = world.link.dispatches().filter((dispatch) => dispatch.instanceId === instanceId)
    if (sent === undefined) throw new Error('not sent')
    await world.accept(executor, sent)
    await world.pass(20_000)
    expect((await incidentsOf(world.db)).map((row) => row.count)).toEqual([1])
    expect((await outbox(world.db))[0]?.message).toMatchObject({ event: 'lost', runs: [{ outcome: 'lost' }] })
  })
})

describe('a storm', () => {
  it('of 1,000 failures of 50 tasks in a minute is one message for each channel, and then a digest', async () => {
    await addChannel(world.db, 901)
    const tasks = await Promise.all(Array.from({ length: 50 }, () => world.task(MANUAL)))
    await rule([{ event: 'failed' }], { channelIds: [900, 901] })
    for (let second = 0; second < 50; second += 1) {
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => world.engine.trigger(tasks[(second * 20 + index) % 50] ?? 0, {}, null, ALL, ALICE)),
      )
      await world.settled()
      await failAll()
      await pass(1000)
    }
    expect((await incidentsOf(world.db)).reduce((sum, row) => sum + row.count, 0)).toBe(1000)
    const ofMinute = await outbox(world.db)
    expect(ofMinute.map(({ channelId }) => channelId)).toEqual([900, 901])
    await pass(10 * MINUTE)
    const later = (await outbox(world.db)).filter(({ channelId }) => channelId === 900).map(({ message }) => message)
    expect(later.map((message) => message.kind)).toEqual([ofMinute[0]?.message.kind, 'digest', 'digest'].slice(0, later.length))
    expect(later[1]).toMatchObject({ kind: 'digest', facts: { incidents: 50 } })
    expect(later[1]?.incidents).toHaveLength(20)
  })

  /** Ends whatever is at the executor with a failure, in one go. */
  async function failAll(): Promise<void> {
    const open = new Map((await world.open()).map((row) => [row.id, row.attempt]))
    const there = world.link.dispatches().filter((dispatch) => open.get(dispatch.instanceId) === dispatch.attempt)
    await Promise.all(
      there.map(({ instanceId, attempt }) =>
        world.engine.report(executor, {
          type: 'finished',
          n: instanceId,
          instanceId,
          attempt,
          at: world.clock.now(),
          startedAt: world.clock.now(),
          bootId: executor.bootId,
          outcome: 'failed',
        }),
      ),
    )
    await world.settled()
    if ((await world.open()).length > 0) await failAll()
  }
})

describe('conditions over several runs', () => {
  it('three failures in a row: not two, not with a success between; each further one counts once', async () => {
    const taskId = await world.task(MANUAL)
    await rule([{ event: 'failedInARow', times: 3 }])
    for (const end of [FAILS, FAILS, {}, FAILS, FAILS]) await runOnce(world, executor, taskId, end)
    await pass(1000)
    expect(await incidentsOf(world.db)).toEqual([])
    await runOnce(world, executor, taskId, FAILS)
    await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    expect(await incidentsOf(world.db)).toMatchObject([{ count: 5 }])
  })

  it('two failures within ten minutes, whatever is between; not two that are further apart', async () => {
    const taskId = await world.task(MANUAL)
    await rule([{ event: 'failedInWindow', times: 2, windowMs: 10 * MINUTE }])
    await runOnce(world, executor, taskId, FAILS)
    await pass(11 * MINUTE)
    await runOnce(world, executor, taskId, FAILS)
    await runOnce(world, executor, taskId)
    await pass(1000)
    expect(await incidentsOf(world.db)).toEqual([])
    await pass(5 * MINUTE)
    await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    expect(await incidentsOf(world.db)).toMatchObject([{ count: 2, state: INCIDENT_STATE.open }])
    await pass(11 * MINUTE)
    expect(await incidentsOf(world.db)).toMatchObject([{ state: INCIDENT_STATE.recovered, recovered_by: 'quiet' }])
  })

  it('a run that takes more than twice what is usual, once 20 are known', async () => {
    const taskId = await world.task(MANUAL)
    const runFor = async (ms: number): Promise<void> => {
      const { instanceId } = await world.engine.trigger(taskId, {}, null, ALL, ALICE)
      await world.settled()
      const sent = { instanceId, attempt: 1 }
      const startedAt = world.clock.now()
      await world.accept(executor, sent)
      for (let passed = 0; passed < ms; passed += 10_000) {
        await world.pass(Math.min(10_000, ms - passed))
        await world.beat(executor, [sent])
      }
      await world.finish(executor, sent, { startedAt })
    }
    await rule([{ event: 'slow' }])
    for (let n = 0; n < 19; n += 1) await runFor(2_000)
    await runFor(30_000)
    await pass(1000)
    expect(await incidentsOf(world.db)).toEqual([])
    await runFor(5_000)
    await pass(1000)
    expect(await incidentsOf(world.db)).toMatchObject([{ count: 1 }])
    expect(JSON.parse((await incidentsOf(world.db))[0]?.facts ?? '{}')).toMatchObject({ tookMs: 5_000, usualMs: 2_000 })
    await runFor(3_000)
    await pass(1000)
    expect(await incidentsOf(world.db)).toMatchObject([{ recovered_by: 'success' }])
  })
})

describe('what does not run', () => {
  it('late: a run that waits longer than a minute is told once, and over when it starts', async () => {
    const taskId = await world.task({ schedule: { kind: 'fixedRate', everyMs: 600_000 }, labels: { zone: 'nowhere' } })
    await rule([{ event: 'late' }])
    await pass(11 * MINUTE + 1000)
    expect(await incidentsOf(world.db)).toMatchObject([{ target_id: taskId, count: 1, state: INCIDENT_STATE.open }])
    const other = await world.executor({ name: 'zoned', labels: { zone: 'nowhere' } })
    await world.pass(2000)
    const [sent] = world.link.dispatches().filter((dispatch) => dispatch.bootId === other.bootId)
    if (sent === undefined) throw new Error('not sent')
    await world.accept(other, sent)
    await world.pass(6000)
    expect(await incidentsOf(world.db)).toMatchObject([{ count: 1, state: INCIDENT_STATE.recovered }])
    // its end says again that it was late
    await world.finish(other, sent)
    await world.pass(2000)
    expect(await incidentsOf(world.db)).toHaveLength(1)
  })

  it('missed: a downtime that the policy skips, with its count; not for a reason that the rule does not name', async () => {
    const taskId = await world.task({ schedule: { kind: 'fixedRate', everyMs: 60_000 }, misfire: { policy: 'skip', graceMs: 1000 } })
    await rule([{ event: 'missed', reasons: ['misfire'] }])
    await rule([{ event: 'missed', reasons: ['overlap'] }])
    await world.crash(10 * MINUTE)
    await world.pass(3000)
    const incidents = await incidentsOf(world.db)
    expect(incidents).toMatchObject([{ target_id: taskId }])
    expect(incidents[0]?.count).toBeGreaterThanOrEqual(9)
  })

  it('unfinished: not done by a time of day in a zone, looked at once a day', async () => {
    const done = await world.task(MANUAL)
    const open = await world.task(MANUAL)
    // T0 is 08:00 UTC, 16:00 in Shanghai
    await rule([{ event: 'unfinished', by: '16:10', timezone: 'Asia/Shanghai' }], { taskIds: [done, open] })
    await runOnce(world, executor, done)
    await pass(9 * MINUTE - 5000)
    expect(await incidentsOf(world.db)).toEqual([])
    await pass(2 * MINUTE)
    expect(await incidentsOf(world.db)).toMatchObject([{ target_id: open, count: 1, opened_at: T0 + 10 * MINUTE }])
    await runOnce(world, executor, open)
    await pass(10_000)
    expect(await incidentsOf(world.db)).toMatchObject([{ recovered_by: 'success' }])
  })

  it('no executor: of a group without one, once the wait is long; over when one has come', async () => {
    await world.pass(20_000)
    const taskId = await world.task(MANUAL)
    await rule([{ event: 'noExecutor' }])
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(58_000)
    expect(await incidentsOf(world.db)).toEqual([])
    await world.pass(120_000)
    expect(await incidentsOf(world.db)).toMatchObject([{ target_kind: 3, target_id: 1, target_name: 'group 1', count: 1 }])
    executor = await world.executor({ name: 'second' })
    await pass(2 * MINUTE)
    expect(await incidentsOf(world.db)).toMatchObject([{ recovered_by: 'gone' }])
  })

  it('queue full: a trigger that was refused', async () => {
    const taskId = await world.task({ ...MANUAL, overlap: { policy: 'queue', max: 1 } })
    await rule([{ event: 'queueFull' }])
    for (let n = 0; n < 3; n += 1) await world.engine.trigger(taskId, {}, null, ALL, ALICE).catch(() => undefined)
    await expect(world.engine.trigger(taskId, {}, null, ALL, ALICE)).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    await pass(1000)
    expect(await incidentsOf(world.db)).toMatchObject([{ target_id: taskId, count: 1 }])
  })

  it('what others raise, until they take it back', async () => {
    const taskId = await world.task(MANUAL)
    await rule([{ event: 'incomplete' }])
    const raised = {
      event: 'incomplete',
      target: { kind: 'task', id: taskId, name: '' },
      groupId: 1,
      at: world.clock.now(),
      key: 'hour 1',
      facts: { missing: 3 },
    } as const
    expect(await world.db.write('rest', (tx) => raiseAlarms(tx, [raised, raised]))).toBe(1)
    await pass(1000)
    expect(await incidentsOf(world.db)).toMatchObject([{ count: 1, state: INCIDENT_STATE.open }])
    await world.db.write('rest', (tx) => raiseAlarms(tx, [{ ...raised, clear: true }]))
    await pass(1000)
    expect(await incidentsOf(world.db)).toMatchObject([{ recovered_by: 'cleared' }])
  })
})

describe('what is not told', () => {
  it('an acknowledged incident goes on silently, and its end is told', async () => {
    const taskId = await world.task(MANUAL)
    await rule([{ event: 'failed' }])
    await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    const [incident] = await incidentsOf(world.db)
    await acknowledgeIncident(world.db, { incidentId: incident?.id ?? 0 }, changeAt(world.clock.now()))
    await runOnce(world, executor, taskId, FAILS)
    await pass(6 * MINUTE)
    expect(await incidentsOf(world.db)).toMatchObject([{ count: 2, state: INCIDENT_STATE.acknowledged }])
    expect(await kinds()).toEqual(['opened'])
    await runOnce(world, executor, taskId)
    await pass(6000)
    expect(await kinds()).toEqual(['opened', 'recovered'])
  })

  it('a rule in quiet hours speaks at their end, of all at once', async () => {
    const [one, two] = [await world.task(MANUAL), await world.task(MANUAL)]
    await rule([{ event: 'failed' }], { quietHours: { from: '07:00', to: '08:03', timezone: 'UTC' } })
    await runOnce(world, executor, one, FAILS)
    await runOnce(world, executor, two, FAILS)
    await pass(2 * MINUTE)
    expect(await kinds()).toEqual([])
    await pass(MINUTE)
    expect(await kinds()).toEqual(['digest'])
  })

  it('a silenced rule speaks at the end of the silence, of what is still open', async () => {
    const [mended, broken] = [await world.task(MANUAL), await world.task(MANUAL)]
    const ruleId = await rule([{ event: 'failed' }])
    await silenceRule(world.db, { ruleId, until: world.clock.now() + 3 * MINUTE }, changeAt(world.clock.now()))
    await runOnce(world, executor, mended, FAILS)
    await runOnce(world, executor, broken, FAILS)
    await runOnce(world, executor, mended)
    await pass(2 * MINUTE)
    expect(await kinds()).toEqual([])
    await pass(2 * MINUTE)
    expect((await outbox(world.db)).map(({ message }) => [message.kind, message.target?.id])).toEqual([['opened', broken]])
  })

  it('a silenced incident, a closed one, and those of a deleted rule', async () => {
    const taskId = await world.task(MANUAL)
    const ruleId = await rule([{ event: 'failed' }])
    await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    const [incident] = await incidentsOf(world.db)
    const incidentId = incident?.id ?? 0
    await silenceIncident(world.db, { incidentId, until: world.clock.now() + 60 * MINUTE }, changeAt(world.clock.now()))
    await runOnce(world, executor, taskId, FAILS)
    await pass(6 * MINUTE)
    expect(await kinds()).toEqual(['opened'])
    await closeIncident(world.db, { incidentId }, changeAt(world.clock.now()))
    await expect(closeIncident(world.db, { incidentId }, changeAt(world.clock.now()))).rejects.toMatchObject({ code: 'INCIDENT_OVER' })
    await runOnce(world, executor, taskId, FAILS)
    await pass(6000)
    expect(await incidentsOf(world.db)).toHaveLength(2)
    await deleteRule(world.db, { ruleId }, changeAt(world.clock.now()))
    await runOnce(world, executor, taskId, FAILS)
    await pass(5000)
    expect((await incidentsOf(world.db)).map((row) => row.recovered_by)).toEqual(['person', 'ruleChanged'])
  })

  it('a rule without channels keeps incidents', async () => {
    const taskId = await world.task(MANUAL)
    await rule([{ event: 'failed' }], { channelIds: [] })
    await runOnce(world, executor, taskId, FAILS)
    await pass(1000)
    expect([await incidentsOf(world.db), await kinds()]).toMatchObject([[{ count: 1 }], []])
  })
})

it('incidents of one rule for all of a group are one', async () => {
  const [one, two] = [await world.task(MANUAL), await world.task(MANUAL)]
  await rule([{ event: 'failed' }], { grouping: 'rule' })
  await runOnce(world, executor, one, FAILS)
  await runOnce(world, executor, two, FAILS)
  await pass(1000)
  expect(await incidentsOf(world.db)).toMatchObject([{ target_kind: 3, target_id: 1, count: 2 }])
})

it('a run that succeeds, and one that fails without a rule that watches for it, writes what it did before there were alarms', async () => {
  const taskId = await world.task(MANUAL)
  await rule([{ event: 'timedOut' }])
  await runOnce(world, executor, taskId)
  await runOnce(world, executor, taskId, FAILS)
  expect(await world.db.read((tx) => tx.all('SELECT * FROM alarm_signal'))).toEqual([])
})
