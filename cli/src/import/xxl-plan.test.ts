import { readFileSync } from 'node:fs'
import { TaskCreate } from '@tickwheel/contract'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { readDump, type SqlRow } from './sql-dump.ts'
import { planOf, type Plan, type XxlTables } from './xxl-plan.ts'

function fixture(): XxlTables {
  const tables = readDump(readFileSync(new URL('xxl-job.fixture.sql', import.meta.url), 'utf8'), ['xxl_job_group', 'xxl_job_info'])
  return { groups: tables.get('xxl_job_group') ?? [], jobs: tables.get('xxl_job_info') ?? [] }
}

describe('a dump', () => {
  it('gives the rows of the tables that are wanted, with their texts as they were', () => {
    const { groups, jobs } = fixture()
    expect(groups.map((row) => row['app_name'])).toEqual(['xxl-job-executor-sample', 'Order_Service', 'order-service', '订单'])
    expect(jobs.map((row) => row['id'])).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(jobs[0]).toMatchObject({ executor_param: `{"a":'x'}\nsecond`, executor_timeout: 30, trigger_status: 1 })
    expect(jobs[1]).toMatchObject({ glue_source: "#!/bin/bash\necho 'it's; fine'\n", add_time: null })
  })

  it.each([
    ['names its columns', "INSERT INTO t (`b`, a) VALUES (1, 'x');", [{ b: 1, a: 'x' }]],
    ['names the database too', 'CREATE TABLE `db`.`t` (\n `a` int\n); insert into `db`.`t` values (1), (2)', [{ a: 1 }, { a: 2 }]],
    ['has hexadecimal and binary values', "INSERT INTO t (a, b, c) VALUES (0x6869, _binary 'x', NOW());", [{ a: 'hi', b: 'x', c: null }]],
    [
      'has other tables and comments with quotes',
      "-- it's\n/* it's */ INSERT INTO u VALUES ('a;b'); INSERT IGNORE INTO t (a) VALUES (-1.5);",
      [{ a: -1.5 }],
    ],
    ['has none', 'SELECT 1;', []],
  ] as const)('may be one that %s', (_what, text, rows) => {
    expect(readDump(text, ['t']).get('t')).toEqual(rows)
  })

  it.each([
    ["INSERT INTO t (a) VALUES ('x", 'line 1: a text has no end'],
    ['\n\nINSERT INTO t (a) VALUES (1, 2)', 'line 3: expected 1 values (a), got 2'],
    ['INSERT INTO t VALUES (1)', 'the columns of t are not known'],
    ['INSERT INTO t (a) VALUES (]', 'expected a value'],
  ])('that cannot be read is refused with the line: %s', (text, message) => {
    expect(() => readDump(text, ['t'])).toThrow(message)
  })
})

describe('what becomes of XXL-JOB', () => {
  const plan = (enable = false): Plan => planOf(fixture(), { timezone: 'Asia/Shanghai', enable })
  const task = (xxlId: number, enable = false) => plan(enable).tasks.find((one) => one.xxlId === xxlId)

  it('are groups under an appName that is allowed here, each once', () => {
    expect(plan().groups).toMatchObject([
      { appName: 'xxl-job-executor-sample', group: { name: '示例执行器' }, notes: [] },
      {
        appName: 'order-service',
        group: { name: '订单' },
        notes: [expect.stringContaining('Order_Service becomes order-service'), expect.stringContaining('addresses')],
      },
      { appName: 'order-service', group: null, notes: [expect.stringContaining('would both be')] },
      { group: null, notes: [expect.stringContaining('needs a letter')] },
    ])
  })

  it('are tasks that the server takes', () => {
    const check = Compile(TaskCreate)
    const made = plan(true).tasks.flatMap((one) => one.task ?? [])
    expect(made).toHaveLength(5)
    for (const one of made) expect([...check.Errors({ ...one, groupId: 1 })]).toEqual([])
  })

  it('is a cron schedule in the zone that was given, with its handler, params, time limit, retries and overlap', () => {
    expect(task(1)).toEqual({
      xxlId: 1,
      name: '测试任务1',
      appName: 'xxl-job-executor-sample',
      notes: [],
      task: {
        name: '测试任务1',
        description: 'XXL-JOB 1',
        owner: 'XXL',
        schedule: { kind: 'cron', expression: '0 0 0 * * ? *', timezone: 'Asia/Shanghai', dialect: 'quartz' },
        handler: { kind: 'named', name: 'demoJobHandler' },
        params: `{"a":'x'}\nsecond`,
        routing: 'roundRobin',
        overlap: { policy: 'queue' },
        misfire: { policy: 'skip', graceMs: 5000 },
        timeoutMs: 30_000,
        retry: { max: 2, delayMs: 1000, backoff: 'fixed' },
        enabled: false,
      },
    })
  })

  it('is started only when that is wanted, and it ran there', () => {
    expect(task(1, true)?.task?.enabled).toBe(true)
    expect(task(2, true)?.task?.enabled).toBe(false)
    expect(task(3, true)?.task).toMatchObject({ schedule: { kind: 'manual' }, enabled: false })
  })

  it('is a script with its text, and a note for all that has no place here', () => {
    expect(task(2)).toMatchObject({
      task: {
        schedule: { kind: 'fixedRate', everyMs: 5000 },
        handler: { kind: 'script', language: 'bash' },
        overlap: { policy: 'skip' },
        misfire: { policy: 'fireOnce' },
      },
      notes: [expect.stringContaining('1,3'), expect.stringContaining('a@example.org')],
    })
  })

  it('has names that are allowed here, each once in its group', () => {
    expect(task(3)?.name).toBe('a-b')
    expect([task(4)?.name, task(5)?.name]).toEqual(['双份 #4', '双份 #5'])
  })

  it.each([
    [5, 'cron "0 61 * * * ?"'],
    [7, 'GLUE_GROOVY'],
    [8, 'executor group 4'],
  ])('leaves job %i out and says why: %s', (xxlId, reason) => {
    expect(task(xxlId)).toMatchObject({ task: null, notes: [expect.stringContaining(reason)] })
  })

  it('makes a broadcast of a job that is sent to every executor', () => {
    expect(task(6)).toMatchObject({ task: { routing: 'roundRobin', sharding: { kind: 'broadcast' } } })
  })

  it('knows jobs of 2.2, which have a cron expression and nothing else', () => {
    const job: SqlRow = {
      id: 1,
      job_group: 1,
      job_cron: '0 0 3 * * ?',
      job_desc: 'old',
      executor_handler: 'h',
      glue_type: 'BEAN',
      executor_route_strategy: 'ROUND',
    }
    const [planned] = planOf({ groups: [{ id: 1, app_name: 'app', title: 't' }], jobs: [job] }, { timezone: 'UTC', enable: true }).tasks
    expect(planned?.task?.schedule).toEqual({ kind: 'cron', expression: '0 0 3 * * ?', timezone: 'UTC', dialect: 'quartz' })
  })
})
