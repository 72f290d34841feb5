import type { CalendarRules } from '@tickwheel/contract'
import { REASON } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import { createCalendar } from '../store/calendars.ts'
import { listTrace } from '../store/instances.ts'
import { changeAt, T0 } from '../store/store.fixture.ts'
import { updateTask } from '../store/tasks.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

describe('a task that is due', () => {
  it('fires at each instant, is sent in the same commit, and ends with its result', async () => {
    const world = await World.create()
    const executor = await world.executor()
    await world.task()
    await world.pass(1000)
    const [sent] = world.link.dispatches()
    expect(sent).toMatchObject({ attempt: 1, scheduledAt: T0 + 1000, handler: { kind: 'shell', script: 'true' } })
    expect((await world.open())[0]).toMatchObject({ phase: 3, attempt: 1, executor_id: executor.executorId, boot_id: executor.bootId })
    if (sent === undefined) return
    expect(await world.accept(executor, sent)).toBe('done')
    expect((await world.open())[0]).toMatchObject({ phase: 4, started_at: T0 + 1000 })
    expect(await world.finish(executor, sent, { result: { rows: 3 } })).toBe('done')
    expect(await world.open()).toEqual([])
    expect((await world.ended())[0]).toMatchObject({ outcome: 1, result: '{"rows":3}', due_at: T0 + 1000 })
    expect(await world.finish(executor, sent)).toBe('already')
  })

  it('leaves a chain of ledger rows, one for each instant', async () => {
    const world = await World.create()
    const executor = await world.executor()
    await world.task()
    await world.passWithWork(executor, 10_000)
    const rows = await world.firings()
    expect(rows.map((row) => row.due_at - T0)).toEqual([1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000])
    for (const [index, row] of rows.entries()) if (index > 0) expect(row.prev_due_at).toBe(rows[index - 1]?.due_at)
    expect((await world.ended()).length).toBe(10)
  })

  it('that its calendar has moved says from where', async () => {
    const world = await World.create()
    const rules: CalendarRules = { weekend: [6], days: [], blackouts: [] }
    const calendarId = await createCalendar(world.db, { groupId: 1, name: 'plant', rules }, changeAt(T0))
    // T0 is a Sunday, 08:00
    await world.task({ schedule: { kind: 'cron', expression: '1 0 8 ? * SAT,SUN', timezone: 'UTC', calendarId, onDayOff: 'skip' } })
    await world.task({ schedule: { kind: 'cron', expression: '1 0 8 ? * SAT', timezone: 'UTC', calendarId, onDayOff: 'next' } })
    await world.pass(1000)
    const [named, moved] = await world.open()
    if (named === undefined || moved === undefined) throw new Error('two are due')
    const reasons = async (id: number) => (await listTrace(world.db, ALL, id)).filter(({ reason }) => reason === 'calendarMoved')
    expect(await reasons(named.id)).toEqual([])
    const facts = { calendarId, calendar: 'plant', version: 1, why: 'weekend', day: null, from: '2026-11-21T08:00:01.000Z' }
    expect(await reasons(moved.id)).toEqual([{ at: '2026-11-22T08:00:01.000Z', reason: 'calendarMoved', facts }])
  })

  it('fires every instant of 100 ms although a tick is late', async () => {
    const world = await World.create()
    await world.executor()
    await world.task({ schedule: { kind: 'fixedRate', everyMs: 100 }, overlap: { policy: 'parallel' } })
    await world.pass(50)
    world.clock.jump(500)
    await world.pass(1500)
    const rows = await world.firings()
    expect(rows.map((row) => row.due_at - T0)).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 100))
  })

  it('waits in its queue while no executor is there, says so, and goes when one joins', async () => {
    const world = await World.create()
    const taskId = await world.task({ schedule: { kind: 'manual' } })
    const { instanceId } = await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(3000)
    expect((await world.open())[0]).toMatchObject({ id: instanceId, phase: 2, wait_code: REASON.waitsForExecutor })
    await world.executor()
    expect((await world.open())[0]).toMatchObject({ phase: 3, wait_code: null })
  })

  it('never gives an executor more than its capacity', async () => {
    const world = await World.create()
    const executor = await world.executor({ capacity: 3 })
    const taskId = await world.task({ schedule: { kind: 'manual' }, overlap: { policy: 'parallel' } })
    for (let run = 0; run < 10; run += 1) await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(2500)
    expect(world.link.dispatches().length).toBe(3)
    expect((await world.open()).filter((row) => row.phase === 2 && row.wait_code === REASON.waitsForSlot).length).toBe(7)
    const [first] = world.link.dispatches()
    if (first === undefined) return
    await world.accept(executor, first)
    await world.finish(executor, first)
    expect(world.link.dispatches().length).toBe(4)
  })

  it('takes turns between executors', async () => {
    const world = await World.create()
    const names = ['a', 'b', 'c']
    for (const name of names) await world.executor({ name })
    await world.task({ overlap: { policy: 'parallel' } })
    await world.pass(9000)
    const counts = Map.groupBy(world.link.dispatches(), ({ bootId }) => bootId)
    expect([...counts.values()].map((orders) => orders.length)).toEqual([3, 3, 3])
  })
})

describe('runs that overlap', () => {
  it('queue: the second waits for the first, and follows it', async () => {
    const world = await World.create()
    const executor = await world.executor()
    await world.task()
    await world.pass(3000)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.accept(executor, first)
    expect((await world.open()).map((row) => row.phase)).toEqual([4, 1, 1])
    expect((await world.open())[1]).toMatchObject({
      wait_code: REASON.waitsForEarlierRun,
      wait_facts: JSON.stringify({ blocker: first.instanceId }),
    })
    await world.finish(executor, first)
    expect((await world.open()).map((row) => row.phase)).toEqual([3, 1])
    expect(world.link.dispatches().length).toBe(2)
  })

  it('skip: hours of overlap are one ledger row that grows', async () => {
    const world = await World.create()
    const executor = await world.executor()
    await world.task({ overlap: { policy: 'skip' } })
    await world.pass(1000)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.accept(executor, first)
    for (let second = 0; second < 120; second += 5) {
      await world.pass(5000)
      await world.beat(executor, [first])
    }
    const skips = await world.skips()
    expect(skips).toHaveLength(1)
    expect(skips[0]).toMatchObject({ reason: REASON.overlap, from_at: T0 + 2000, to_at: T0 + 121_000, count: 120, prev_due_at: T0 + 1000 })
    await world.finish(executor, first)
    await world.pass(1000)
    expect((await world.firings()).at(-1)).toMatchObject({ due_at: T0 + 122_000, prev_due_at: T0 + 121_000 })
  })

  it('replace: the old one is canceled, the new one waits until it has ended', async () => {
    const world = await World.create()
    const executor = await world.executor()
    await world.task({ overlap: { policy: 'replace' } })
    await world.pass(1000)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.accept(executor, first)
    await world.pass(1000)
    expect(world.link.sent.some(({ order }) => order.type === 'cancel' && order.instanceId === first.instanceId)).toBe(true)
    expect((await world.open()).map((row) => row.phase)).toEqual([4, 1])
    await world.finish(executor, first, { outcome: 'canceled' })
    expect((await world.open()).map((row) => row.phase)).toEqual([3])
    expect((await world.ended())[0]).toMatchObject({ outcome: 4 })
  })

  it('a queue that is full records a skip, and a trigger is refused', async () => {
    const world = await World.create()
    const taskId = await world.task({ overlap: { policy: 'queue', max: 2 } })
    await world.pass(5000)
    expect((await world.open()).length).toBe(3)
    expect((await world.skips())[0]).toMatchObject({ reason: REASON.queueFull, from_at: T0 + 4000, to_at: T0 + 5000 })
    await expect(world.engine.trigger(taskId, {}, null, ALL, ALICE)).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  })

  it('a manual run under skip ends as skipped beside a scheduled one', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const taskId = await world.task({ overlap: { policy: 'skip' }, schedule: { kind: 'fixedRate', everyMs: 60_000 } })
    await world.pass(60_000)
    await world.beat(executor)
    expect((await world.open()).length).toBe(1)
    const { instanceId } = await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(1000)
    expect((await world.ended())[0]).toMatchObject({ id: instanceId, outcome: 6 })
  })
})

describe('kinds of schedules', () => {
  it('fixedDelay awaits one run at a time, also when it was edited while an instant was overdue', async () => {
    const world = await World.create()
    const taskId = await world.task({ schedule: { kind: 'fixedDelay', delayMs: 1300 } })
    await world.pass(1000)
    // another node, whose clock is a little ahead
    const input = {
      groupId: 1,
      name: 'edited',
      handler: { kind: 'shell', script: 'true' },
      schedule: { kind: 'fixedDelay', delayMs: 800 },
      version: 1,
    } as const
    await updateTask(world.db, { taskId, input, serverZone: 'UTC' }, changeAt(T0 + 1400))
    await world.pass(10_000)
    expect((await world.firings()).map((row) => row.due_at - T0)).toEqual([1300])
  })

  it('what an older span still has to fire is fired before a fixedDelay awaits a run', async () => {
    const world = await World.create()
    const session = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'fixedRate', everyMs: 1000 } })
    await world.pass(500)
    const input = {
      groupId: 1,
      name: 'edited',
      handler: { kind: 'shell', script: 'true' },
      schedule: { kind: 'fixedDelay', delayMs: 1500 },
      version: 1,
    } as const
    // another node, whose clock ran ahead
    await updateTask(world.db, { taskId, input, serverZone: 'UTC' }, changeAt(T0 + 4500))
    await world.passWithWork(session, 8000)
    expect((await world.firings()).map((row) => row.due_at - T0)).toEqual([1000, 2000, 3000, 4000, 5500, 7000, 8500])
  })

  it('fixedDelay counts from the end of the run, whatever its outcome', async () => {
    const world = await World.create()
    const executor = await world.executor()
    await world.task({ schedule: { kind: 'fixedDelay', delayMs: 5000 } })
    await world.pass(5000)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.accept(executor, first)
    expect((await world.series())[0]).toMatchObject({ next_due_at: null, awaits_id: first.instanceId })
    await world.pass(3000)
    await world.finish(executor, first, { outcome: 'failed', error: { code: 'X', message: 'x' } })
    expect((await world.series())[0]).toMatchObject({ next_due_at: T0 + 13_000, awaits_id: null })
    await world.pass(5000)
    expect((await world.firings()).map((row) => row.due_at - T0)).toEqual([5000, 13_000])
  })

  it('once fires once and switches its task off', async () => {
    const world = await World.create()
    const executor = await world.executor()
    await world.task({ schedule: { kind: 'once', at: new Date(T0 + 2000).toISOString() } })
    await world.passWithWork(executor, 10_000)
    expect((await world.firings()).length).toBe(1)
    const [task] = await world.db.read((tx) => tx.all<{ enabled: number }>('SELECT enabled FROM task'))
    expect(task?.enabled).toBe(0)
  })

  it('stop ends firing at once; start goes on without making up for the pause', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const taskId = await world.task()
    await world.passWithWork(executor, 3000)
    await world.engine.stopTask(taskId, { cancelRunning: false }, ALL, ALICE)
    await world.passWithWork(executor, 5000)
    expect((await world.firings()).length).toBe(3)
    await world.engine.startTask(taskId, ALL, ALICE)
    await world.passWithWork(executor, 3000)
    expect((await world.firings()).map((row) => row.due_at - T0)).toEqual([1000, 2000, 3000, 8000, 9000, 10_000, 11_000])
    expect(await world.skips()).toEqual([])
  })
})

describe('attempts that fail', () => {
  it('retries with its delay, and ends failed when the tries are spent', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const taskId = await world.task({
      schedule: { kind: 'manual' },
      retry: { max: 2, delayMs: 1000, backoff: 'exponential', maxDelayMs: 60_000 },
    })
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const delays = [1000, 2000]
    for (const attempt of [1, 2, 3]) {
      const sent = world.link.dispatches().at(-1)
      if (sent === undefined) throw new Error('nothing sent')
      expect(sent.attempt).toBe(attempt)
      await world.accept(executor, sent)
      await world.finish(executor, sent, { outcome: 'failed', error: { code: 'EXIT_CODE', message: 'exit 1' } })
      if (attempt === 3) break
      expect((await world.open())[0]).toMatchObject({ phase: 1, tries: attempt })
      await world.pass((delays[attempt - 1] ?? 0) - 1)
      expect(world.link.dispatches().length).toBe(attempt)
      await world.pass(1)
    }
    expect((await world.ended())[0]).toMatchObject({ outcome: 2, attempt: 3, tries: 2, error_code: 'EXIT_CODE' })
    const attempts = await world.db.read((tx) => tx.all('SELECT attempt, outcome FROM attempt ORDER BY attempt'))
    expect(attempts).toEqual([
      { attempt: 1, outcome: 2 },
      { attempt: 2, outcome: 2 },
    ])
  })

  it('a refusal spends an attempt and no try, and the run is sent again', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' } })
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.say(executor, { type: 'rejected', instanceId: first.instanceId, attempt: 1, at: T0, code: 'capacity', detail: 'full' })
    expect((await world.open())[0]).toMatchObject({ phase: 2, attempt: 1, tries: 0 })
    await world.pass(2000)
    expect(world.link.dispatches().at(-1)).toMatchObject({ instanceId: first.instanceId, attempt: 2 })
  })

  it('a report of an attempt that is not the current one is refused and kept as late', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' }, retry: { max: 1, delayMs: 0 } })
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.accept(executor, first)
    await world.finish(executor, first, { outcome: 'failed' })
    expect(await world.finish(executor, first, { outcome: 'succeeded' })).toBe('stale')
    const late = await world.db.read((tx) => tx.all('SELECT attempt, late, outcome FROM attempt WHERE late = 1'))
    expect(late).toEqual([{ attempt: 1, late: 1, outcome: 1 }])
    expect(await world.say(executor, { type: 'started', instanceId: 12_345, attempt: 1, at: T0 })).toBe('unknown')
  })
})

describe('cancel', () => {
  it('ends a queued run at once', async () => {
    const world = await World.create()
    const taskId = await world.task({ schedule: { kind: 'manual' } })
    const { instanceId } = await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.engine.cancelInstance(instanceId, ALL, ALICE)
    expect((await world.ended())[0]).toMatchObject({ outcome: 4, cancel_by: 'alice' })
    await expect(world.engine.cancelInstance(instanceId, ALL, ALICE)).rejects.toMatchObject({
      code: 'INSTANCE_ENDED',
      params: { state: 'canceled' },
    })
  })

  it('asks the executor, whose word counts; silence ends it unconfirmed', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' }, overlap: { policy: 'parallel' }, killGraceMs: 1000 })
    for (let run = 0; run < 2; run += 1) await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [first, second] = world.link.dispatches()
    if (first === undefined || second === undefined) throw new Error('nothing sent')
    for (const run of [first, second]) {
      await world.accept(executor, run)
      await world.engine.cancelInstance(run.instanceId, ALL, ALICE)
    }
    await world.finish(executor, first, { outcome: 'succeeded' })
    for (let beat = 0; beat < 5; beat += 1) {
      await world.pass(4000)
      await world.beat(executor, [second])
    }
    expect((await world.ended()).map((row) => [row.id, row.outcome, row.error_code])).toEqual([
      [first.instanceId, 1, null],
      [second.instanceId, 4, 'CANCEL_UNCONFIRMED'],
    ])
  })
})

describe('executors that go', () => {
  it('without heartbeats its runs are lost after 15 s, and retried elsewhere if the task allows', async () => {
    const world = await World.create()
    const lost = await world.executor({ name: 'a' })
    const taskId = await world.task({ schedule: { kind: 'manual' }, retry: { max: 1, delayMs: 0 } })
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.accept(lost, first)
    world.engine.left(lost)
    const other = await world.executor({ name: 'b' })
    for (let second = 0; second < 20; second += 1) {
      await world.pass(1000)
      await world.beat(other)
    }
    const again = world.link.dispatches().at(-1)
    expect(again).toMatchObject({ instanceId: first.instanceId, attempt: 2, bootId: other.bootId })
    expect(world.link.ended).toContainEqual({ executorId: lost.executorId, why: 'sessionEnded' })
  })

  it('a run whose parameters do not fit its handler fails, and is not retried: they would not fit again', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' }, retry: { max: 3, delayMs: 0 } })
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [run] = world.link.dispatches()
    if (run === undefined) throw new Error('nothing sent')
    await world.finish(executor, run, { outcome: 'failed', error: { code: 'PARAMS_INVALID', message: 'params.from is missing' } })
    expect(await world.ended()).toMatchObject([{ outcome: 2, error_code: 'PARAMS_INVALID', attempt: 1 }])
    expect(await world.open()).toEqual([])
  })

  it('a run of an executor that is lost ends as lost when the task does not retry', async () => {
    const world = await World.create()
    const lost = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' } })
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.accept(lost, first)
    await world.pass(20_000)
    expect((await world.ended())[0]).toMatchObject({ outcome: 5, error_code: 'EXECUTOR_LOST' })
    // it comes back and reports: acknowledged, kept as late, and nothing changes
    await world.join(lost)
    expect(await world.finish(lost, first)).toBe('stale')
    expect((await world.ended())[0]).toMatchObject({ outcome: 5 })
    const late = await world.db.read((tx) => tx.all('SELECT attempt, late, outcome FROM attempt'))
    expect(late).toEqual([{ attempt: 1, late: 1, outcome: 1 }])
    // and once more: it is there already
    await world.finish(lost, first)
    expect(await world.db.read((tx) => tx.all('SELECT attempt, late, outcome FROM attempt'))).toEqual(late)
  })

  it('what an older boot had and did not report is lost when the new one says that it has delivered everything', async () => {
    const world = await World.create()
    const old = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' }, overlap: { policy: 'parallel' } })
    for (let run = 0; run < 2; run += 1) await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [first, second] = world.link.dispatches()
    if (first === undefined || second === undefined) throw new Error('nothing sent')
    for (const run of [first, second]) await world.accept(old, run)
    const boot = await world.register()
    await world.join(boot)
    // the first had ended before the crash: its result was on disk
    expect(await world.finish(boot, first, { bootId: old.bootId })).toBe('done')
    await world.say(boot, { type: 'recovered', bootId: boot.bootId })
    expect((await world.ended()).map((row) => [row.id, row.outcome])).toEqual([
      [first.instanceId, 1],
      [second.instanceId, 5],
    ])
  })

  it.each([
    ['at once, when the older process had left', true, 0],
    ['when the older process has had the time to hear of it or to stop by itself, while it held a link', false, 15_000],
  ])('a run that an older boot had accepted is retried %s', async (_what, hasLeft, afterMs) => {
    const world = await World.create()
    const old = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' }, retry: { max: 1, delayMs: 0 } })
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.settled()
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.accept(old, first)
    if (hasLeft) world.engine.left(old)
    await world.settled()
    const registeredAt = world.clock.now()
    const boot = await world.register()
    await world.join(boot)
    await world.say(boot, { type: 'recovered', bootId: boot.bootId })
    const second = () => world.link.dispatches().find((dispatch) => dispatch.attempt === 2)
    while (second() === undefined && world.clock.now() < registeredAt + 20_000) {
      await world.pass(100)
      await world.beat(boot)
    }
    expect(second()).toMatchObject({ instanceId: first.instanceId, bootId: boot.bootId })
    const waitedMs = world.clock.now() - registeredAt
    expect([waitedMs >= afterMs, waitedMs < afterMs + 2_000]).toEqual([true, true])
  })

  it('a registration of its own that is handled late leaves a process its boot and its link', async () => {
    const world = await World.create()
    const executor = await world.executor({ processKey: 'one' })
    const late = await world.register({ processKey: 'one' })
    expect(late).toEqual(executor)
    await world.task({ schedule: { kind: 'manual' } }).then((taskId) => world.engine.trigger(taskId, {}, null, ALL, ALICE))
    await world.settled()
    const [run] = world.link.dispatches()
    if (run === undefined) throw new Error('nothing sent')
    expect(await world.accept(executor, run)).toBe('done')
    expect(await world.finish(executor, run)).toBe('done')
  })

  it('sends a dispatch that was not accepted again, to the same boot only', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' } })
    world.link.isUp = false
    await world.engine.trigger(taskId, {}, null, ALL, ALICE)
    await world.pass(500)
    expect(world.link.dispatches()).toEqual([])
    world.link.isUp = true
    await world.pass(2000)
    expect(world.link.dispatches()[0]).toMatchObject({ attempt: 1, bootId: executor.bootId })
  })

  it('tells an executor what it has and should not, and what to cancel', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const answer = await world.beat(executor, [{ instanceId: 99, attempt: 1 }])
    expect(answer).toMatchObject({ store: 'ok', unknown: [{ instanceId: 99, attempt: 1 }] })
  })
})

describe('wrong data', () => {
  it('holds the series that has it, lets the others go on, and a saved edit lets it go on from then', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const bad = await world.task()
    await world.task()
    const [series] = await world.series()
    // a ledger row that nobody can have written: the instant is taken
    await world.db.write('rest', (tx) =>
      tx.insert('firing', [{ due_at: T0 + 3000, series_id: series?.id ?? 0, prev_due_at: T0, task_version: 1, instance_id: 1 }]),
    )
    await world.passWithWork(executor, 5000)
    const [held, other] = await world.series()
    expect(JSON.parse(held?.held ?? '{}')).toMatchObject({ reason: 'duplicateInstant' })
    expect(world.troubles.length).toBeGreaterThan(0)
    expect(other).toMatchObject({ held: null, last_due_at: T0 + 5000 })
    await world.engine.updateTask(
      bad,
      {
        groupId: 1,
        name: 'mended',
        schedule: { kind: 'fixedRate', everyMs: 1000 },
        handler: { kind: 'shell', script: 'true' },
        version: 1,
      },
      ALL,
      ALICE,
    )
    await world.passWithWork(executor, 3000)
    expect((await world.series())[0]).toMatchObject({ held: null, last_due_at: T0 + 8000 })
    expect((await world.skips())[0]).toMatchObject({ reason: REASON.stoppedFirst, from_at: T0 + 3000, to_at: T0 + 4000 })
  })
})

describe('after a crash', () => {
  it('settles what passed by the misfire policy, loses nothing and doubles nothing', async () => {
    const world = await World.create()
    const executor = await world.executor()
    await world.task({ misfire: { policy: 'fireOnce', graceMs: 10_000 } })
    await world.passWithWork(executor, 5000)
    await world.crash(600_000)
    await world.join(executor)
    await world.passWithWork(executor, 3000)
    const firings = await world.firings()
    const skips = await world.skips()
    expect(firings.map((row) => row.due_at - T0)).toEqual([1000, 2000, 3000, 4000, 5000, 605_000, 606_000, 607_000, 608_000])
    expect(skips).toHaveLength(1)
    expect(skips[0]).toMatchObject({ from_at: T0 + 6000, to_at: T0 + 604_000, count: 599, reason: REASON.misfire, prev_due_at: T0 + 5000 })
  })

  it('goes on with the runs that it had', async () => {
    const world = await World.create()
    const executor = await world.executor()
    await world.task({ schedule: { kind: 'fixedRate', everyMs: 10_000 } })
    await world.pass(10_000)
    await world.beat(executor)
    const [first] = world.link.dispatches()
    if (first === undefined) throw new Error('nothing sent')
    await world.accept(executor, first)
    await world.crash(5000)
    await world.join(executor)
    await world.finish(executor, first)
    expect((await world.ended())[0]).toMatchObject({ outcome: 1 })
  })
})

describe('the store is read by time and not by tasks', () => {
  it('ten thousand armed tasks, none due, cost as many statements a second as ten', async () => {
    const statements = async (tasks: number): Promise<number> => {
      const world = await World.create()
      let count = 0
      for (let task = 0; task < tasks; task += 1) {
        await world.engine.createTask(
          {
            groupId: 1,
            name: `t${task}`,
            schedule: { kind: 'fixedRate', everyMs: 50_000 },
            handler: { kind: 'shell', script: 'true' },
            enabled: true,
          },
          ALL,
          ALICE,
        )
      }
      await world.pass(21_000)
      const read = world.db.read.bind(world.db)
      Object.assign(world.db, {
        read: (work: Parameters<typeof read>[0]) => {
          count += 1
          return read(work)
        },
      })
      await world.pass(10_000)
      return count
    }
    expect(await statements(2000)).toBeLessThanOrEqual((await statements(10)) + 5)
  })
})

describe('a run that cannot go for a reason of its own', () => {
  it('is set aside, holds up nobody, and goes when an executor with its handler joins', async () => {
    const world = await World.create()
    await world.executor({ name: 'a', handlers: [{ name: 'shell', kind: 'builtIn' }] })
    const special = await world.task({ schedule: { kind: 'manual' }, handler: { kind: 'named', name: 'special' } })
    const plain = await world.task({ schedule: { kind: 'manual' } })
    const { instanceId } = await world.engine.trigger(special, {}, null, ALL, ALICE)
    await world.engine.trigger(plain, {}, null, ALL, ALICE)
    await world.pass(1000)
    expect((await world.open()).map((row) => [row.id === instanceId, row.phase, row.wait_code])).toEqual([
      [true, 1, REASON.waitsForHandler],
      [false, 3, null],
    ])
    await world.executor({ name: 'b', handlers: [{ name: 'special', kind: 'named' }] })
    expect(world.link.dispatches().at(-1)).toMatchObject({ instanceId, handler: { kind: 'named', name: 'special' } })
  })

  it('chosen for an executor by a person waits for that one, also when others are free', async () => {
    const world = await World.create()
    const chosen = await world.executor({ name: 'a' })
    await world.executor({ name: 'b' })
    world.engine.left(chosen)
    const taskId = await world.task({ schedule: { kind: 'manual' } })
    await world.engine.trigger(taskId, { executorId: chosen.executorId }, null, ALL, ALICE)
    await world.pass(1000)
    expect((await world.open())[0]).toMatchObject({ phase: 1, wait_code: REASON.waitsForChosenExecutor })
    await world.join(chosen)
    expect(world.link.dispatches().at(-1)).toMatchObject({ bootId: chosen.bootId })
  })

  it('with params of its own carries them, and its retry does too', async () => {
    const world = await World.create()
    const executor = await world.executor()
    const taskId = await world.task({ schedule: { kind: 'manual' }, params: 'usual' })
    const { instanceId } = await world.engine.trigger(taskId, { params: 'special' }, 'key-1', ALL, ALICE)
    expect(await world.engine.trigger(taskId, { params: 'special' }, 'key-1', ALL, ALICE)).toEqual({ instanceId })
    await world.settled()
    const [sent] = world.link.dispatches()
    expect(sent).toMatchObject({ params: 'special' })
    if (sent === undefined) return
    await world.accept(executor, sent)
    await world.finish(executor, sent, { outcome: 'failed' })
    const retried = await world.engine.retryInstance(instanceId, null, ALL, ALICE)
    await expect(world.engine.retryInstance(instanceId, null, ALL, ALICE)).rejects.toMatchObject({ code: 'INSTANCE_ALREADY_RETRIED' })
    await world.settled()
    expect(world.link.dispatches().at(-1)).toMatchObject({ instanceId: retried.instanceId, params: 'special' })
    expect((await world.open())[0]).toMatchObject({ retry_of: instanceId, cause: 4 })
  })
})

describe('a higher priority', () => {
  it('goes first, and a lower one is not passed over for ever', async () => {
    const world = await World.create()
    const low = await world.task({ schedule: { kind: 'manual' }, priority: 1, overlap: { policy: 'parallel' } })
    const high = await world.task({ schedule: { kind: 'manual' }, priority: 3, overlap: { policy: 'parallel' } })
    const old = await world.engine.trigger(low, {}, null, ALL, ALICE)
    await world.pass(121_000)
    const late = await world.engine.trigger(low, {}, null, ALL, ALICE)
    const urgent = await world.engine.trigger(high, {}, null, ALL, ALICE)
    await world.executor()
    expect(world.link.dispatches().map((sent) => sent.instanceId)).toEqual([old.instanceId, urgent.instanceId, late.instanceId])
  })
})
