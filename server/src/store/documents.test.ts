import {
  DOCUMENT_LIMITS,
  documentToYaml,
  readYaml,
  type DocumentTask,
  type DocumentWorkflow,
  type TickwheelDocument,
} from '@tickwheel/contract'
import { id, type Permission, type Scope } from '@tickwheel/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applyDocument, type Applied, type ApplyWish } from './apply-document.ts'
import { SYSTEM } from './caller.ts'
import { query, type Database } from './database.ts'
import { exportDocument } from './export-document.ts'
import { addGroup, changeAt, memoryStore, T0, taskInput } from './store.fixture.ts'
import { createTask } from './tasks.ts'

let db: Database
let auditId = 1_000_000
beforeEach(async () => {
  db = await memoryStore()
})
afterEach(() => db.close())

const everything = (): Scope => 'all'
async function apply(document: TickwheelDocument, more: Partial<ApplyWish> = {}): Promise<Applied> {
  auditId += 10_000
  const wish = {
    dryRun: false,
    plan: null,
    scopeOf: everything,
    serverZone: 'Asia/Shanghai',
    now: T0,
    firstAuditId: auditId,
    caller: SYSTEM,
  }
  return applyDocument(db, { ...wish, document, ...more })
}
const exported = async (names: readonly string[] | null = null, scope: Scope = 'all'): Promise<TickwheelDocument> =>
  exportDocument(db, {
    names,
    scope,
    visible: 'all',
    refuse: (groupId) => {
      throw new Error(`may not export ${groupId}`)
    },
  })
const told = ({ problems }: Applied): string[] => problems.map(({ path, code }) => `${path} ${code}`)
const actions = ({ items }: Applied): string[] => items.map(({ kind, key, action }) => `${action} ${kind} ${key}`)

const task = (name: string, more: Partial<DocumentTask> = {}): DocumentTask => ({
  group: 'billing',
  name,
  schedule: { kind: 'cron', expression: '0 0 2 * * *', timezone: 'Asia/Shanghai' },
  handler: { kind: 'shell', script: 'set -e\n./run.sh\n' },
  ...more,
})
const flow = (name: string, steps: DocumentWorkflow['steps'], more: Partial<DocumentWorkflow> = {}): DocumentWorkflow => ({
  group: 'billing',
  name,
  schedule: { kind: 'manual' },
  steps,
  edges: [],
  ...more,
})
const billing = { name: 'billing', appName: 'billing', description: '账单', concurrency: 4 }

/** Something of every kind, in which workflows refer to tasks, to each other, and wait for each other and for themselves. */
const whole: TickwheelDocument = {
  tickwheel: 1,
  groups: [billing, { name: 'Orders', appName: 'orders' }],
  tasks: [
    task('nightly', { enabled: true, tags: ['money'], retry: { max: 3, delayMs: 1000, backoff: 'linear', maxDelayMs: 5000 } }),
    task('at once', {
      group: 'Orders',
      schedule: { kind: 'once', at: '2027-01-01T08:00:00+08:00' },
      handler: { kind: 'named', name: 'sync' },
    }),
    task('每日对账', { schedule: { kind: 'fixedRate', everyMs: 60_000 }, params: '{"a": 1}', sharding: { kind: 'fixed', total: 3 } }),
  ],
  workflows: [
    flow('first', [{ key: 'all', kind: 'subWorkflow', workflow: 'billing/second' }]),
    flow('second', [
      { key: 'work', kind: 'task', task: 'billing/nightly', retry: { max: 1 } },
      { key: 'before', kind: 'wait', upstream: { workflow: 'billing/second', date: '=run.date' } },
      { key: 'other', kind: 'wait', upstream: { workflow: 'billing/third' } },
    ]),
    flow('third', [{ key: 'other', kind: 'wait', upstream: { workflow: 'billing/second' } }], {
      enabled: true,
      schedule: { kind: 'fixedRate', everyMs: 3_600_000 },
    }),
  ],
}

describe('a document', () => {
  it('is applied to an empty store, and the export applied to another is exported the same', async () => {
    const first = await apply(whole)
    expect({ counts: first.counts, problems: first.problems }).toEqual({
      counts: { create: 8, change: 0, none: 0, untouched: 0 },
      problems: [],
    })
    expect(actions(first).slice(-3)).toEqual([
      'create workflow billing/first',
      'create workflow billing/second',
      'create workflow billing/third',
    ])
    expect(first.changed).toHaveLength(6)
    const one = [...documentToYaml(await exported())].join('')
    const read = readYaml(one, { maxCharacters: 1e6 })
    if (read.kind === 'problems') expect.fail(JSON.stringify(read.problems))
    await db.close()
    db = await memoryStore()
    const again = await apply(read.value as TickwheelDocument)
    expect(again.problems).toEqual([])
    expect([...documentToYaml(await exported())].join('')).toBe(one)
    expect(one).toContain('\n  - name: billing\n    appName: billing\n    description: 账单\n    concurrency: 4\n')
    expect(one).toContain('schedule: { kind: once, at: 2027-01-01T00:00:00.000Z }')
    expect((await apply(read.value as TickwheelDocument)).counts).toEqual({ create: 0, change: 0, none: 8, untouched: 0 })
  })

  it('is shown before it is applied: field by field, and nothing is written, not even a counter of ids', async () => {
    await apply(whole)
    const before = await db.read((tx) => tx.rows(query.selectFrom('id_block').selectAll()))
    const changed = await apply(
      {
        tickwheel: 1,
        groups: [{ ...billing, concurrency: 9 }],
        tasks: [
          task('nightly', { tags: ['money'], retry: { max: 5, delayMs: 1000, backoff: 'linear', maxDelayMs: 5000 }, enabled: false }),
          task('NEW', { group: 'BILLING' }),
        ],
        workflows: [flow('second', [{ key: 'work', kind: 'task', task: 'Billing/NIGHTLY', retry: { max: 2 } }])],
      },
      { dryRun: true },
    )
    expect(
      changed.items.map(({ key, action, fields }) => [key, action, fields.map(({ path, before, after }) => [path, before, after])]),
    ).toEqual([
      ['billing', 'change', [['concurrency', 4, 9]]],
      ['billing/nightly', 'change', [['retry.max', 3, 5], ['enabled', true, false]]], // prettier-ignore
      ['BILLING/NEW', 'create', [
        ['name', undefined, 'NEW'],
        ['schedule', undefined, task('').schedule],
        ['handler', undefined, task('').handler],
      ]], // prettier-ignore
      ['billing/second', 'change', [
        ['steps[work].retry.max', 1, 2],
        ['steps[before]', { key: 'before', kind: 'wait', upstream: { workflow: 'billing/second', date: '=run.date' } }, undefined],
        ['steps[other]', { key: 'other', kind: 'wait', upstream: { workflow: 'billing/third' } }, undefined],
      ]], // prettier-ignore
    ])
    expect(changed.counts).toEqual({ create: 1, change: 3, none: 0, untouched: 3 })
    expect(changed.untouched.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'task billing/每日对账',
      'workflow billing/first',
      'workflow billing/third',
    ])
    expect(changed.changed).toEqual([])
    expect(await db.read((tx) => tx.rows(query.selectFrom('id_block').selectAll()))).toEqual(before)
    expect((await exported(['billing'])).tasks?.map(({ name }) => name)).toEqual(['nightly', '每日对账'])
  })

  it('is applied as it was shown, or not at all', async () => {
    await apply(whole)
    const document: TickwheelDocument = { tickwheel: 1, tasks: [task('nightly', { priority: 9, enabled: true }), task('new')] }
    const { plan } = await apply(document, { dryRun: true })
    expect((await apply(document, { dryRun: true, plan })).plan).toBe(plan)
    await apply({ tickwheel: 1, tasks: [task('nightly', { priority: 7, enabled: true })] })
    await expect(apply(document, { plan })).rejects.toMatchObject({ code: 'PLAN_STALE' })
    expect((await exported()).tasks).toHaveLength(3)
    const shown = await apply(document, { dryRun: true })
    expect(actions(await apply(document, { plan: shown.plan }))).toEqual(['change task billing/nightly', 'create task billing/new'])
  })

  it('switches a schedule without making a version of what did not change, and leaves what it does not say', async () => {
    await apply(whole)
    const rows = async () => db.read((tx) => tx.rows(query.selectFrom('task').select(['version', 'enabled']).where('name', '=', 'nightly')))
    const [nightly] = (await exported()).tasks?.filter(({ name }) => name === 'nightly') ?? []
    const { enabled: _enabled, ...silent } = nightly ?? task('nightly')
    expect((await apply({ tickwheel: 1, tasks: [silent] })).counts).toMatchObject({ none: 1, change: 0 })
    await apply({ tickwheel: 1, tasks: [{ ...silent, enabled: false }] })
    expect(await rows()).toEqual([{ version: 1, enabled: 0 }])
    await apply({ tickwheel: 1, tasks: [{ ...silent, priority: 8 }], groups: [{ name: 'billing', appName: 'billing' }] })
    expect(await rows()).toEqual([{ version: 2, enabled: 0 }])
    expect((await exported()).groups?.[0]).toEqual({ name: 'billing', appName: 'billing', concurrency: 4 })
  })

  it('tells every problem at once, each where it stands, and writes nothing', async () => {
    await addGroup(db, 1, 'default')
    await createTask(db, { input: taskInput(), serverZone: 'UTC' }, changeAt(T0))
    const applied = await apply({
      tickwheel: 1,
      groups: [billing, { name: 'other', appName: 'app-1' }],
      tasks: [
        task('fine'),
        task('bad', { schedule: { kind: 'cron', expression: 'never' } }),
        task('lost', { group: 'nowhere' }),
        task('FINE'),
        task('in other', { group: 'other' }),
        task('secret', { params: '${{ secrets.PASSWORD }}' }),
      ],
      workflows: [
        flow('fine', [{ key: 'a', kind: 'task', task: 'billing/fine' }]),
        flow('of bad', [{ key: 'a', kind: 'task', task: 'billing/bad' }]),
        flow('of nothing', [{ key: 'a', kind: 'task', task: 'billing/nothing' }]),
        flow('round', [{ key: 'a', kind: 'subWorkflow', workflow: 'billing/about' }]),
        flow('about', [{ key: 'a', kind: 'subWorkflow', workflow: 'billing/round' }]),
      ],
    })
    expect(told(applied)).toEqual([
      'groups.1.appName NAME_TAKEN',
      'tasks.1.schedule.expression CRON_FIELD_COUNT',
      'tasks.2.group UNKNOWN_REFERENCE',
      'tasks.3.name NAMED_TWICE',
      'tasks.5.params UNKNOWN_REFERENCE',
      'workflows.2.steps.0.task WORKFLOW_UNKNOWN_TASK',
      'workflows.3.steps.0.workflow WORKFLOW_RECURSION',
    ])
    expect(applied.plan).toBeNull()
    expect(await exported()).toMatchObject({ groups: [{ name: 'default' }], tasks: [{ name: 'nightly' }] })
    expect((await exported()).workflows).toBeUndefined()
  })

  it('is bounded, in what it names and in what is told of it', async () => {
    const many = Array.from({ length: DOCUMENT_LIMITS.items + 1 }, (_, index) => task(`t${index}`))
    await expect(apply({ tickwheel: 1, tasks: many })).rejects.toMatchObject({ code: 'DOCUMENT_TOO_LARGE' })
    const lost = await apply({ tickwheel: 1, tasks: many.slice(0, 300) })
    expect(lost.problems).toHaveLength(DOCUMENT_LIMITS.problems)
    await apply({ tickwheel: 1, groups: [billing], tasks: [task('long', { handler: { kind: 'shell', script: 'x'.repeat(100_000) } })] })
    const { items } = await apply({ tickwheel: 1, tasks: [task('long')] }, { dryRun: true })
    expect(items[0]?.fields).toMatchObject([{ path: 'handler.script', before: 'x'.repeat(DOCUMENT_LIMITS.valueCharacters), cut: true }])
  })
})

describe('calendars of a document', () => {
  const days = [{ from: '2026-10-01', to: '2026-10-07', kind: 'off' as const, name: '国庆节' }]
  const rules = { weekend: [6, 7], days, blackouts: [] }
  const off = (calendar: string, more: Partial<DocumentTask> = {}): DocumentTask =>
    task('working days', {
      schedule: { kind: 'cron', expression: '0 0 2 * * *', timezone: 'Asia/Shanghai', calendar, onDayOff: 'next' },
      ...more,
    })
  const document: TickwheelDocument = {
    tickwheel: 1,
    groups: [billing],
    calendars: [
      { name: 'China', rules },
      { group: 'billing', name: 'China', description: 'ours', rules: { ...rules, days: [] } },
    ],
    tasks: [off('billing/China'), task('all', { schedule: { kind: 'fixedRate', everyMs: 60_000, calendar: 'China' } })],
  }

  it('are named by schedules, and go from one store to another', async () => {
    const first = await apply(document)
    expect({ told: told(first), actions: actions(first).slice(1, 3) }).toEqual({
      told: [],
      actions: ['create calendar China', 'create calendar billing/China'],
    })
    const one = await exported(['billing'])
    expect(one.calendars?.map(({ group, name }) => [group, name])).toEqual([[undefined, 'China'], ['billing', 'China']]) // prettier-ignore
    expect(one.tasks?.map(({ schedule }) => ('calendar' in schedule ? schedule.calendar : null))).toEqual(['China', 'billing/China'])
    const read = readYaml([...documentToYaml(one)].join(''), { maxCharacters: 1e6 })
    await db.close()
    db = await memoryStore()
    expect(read.kind === 'value' ? told(await apply(read.value as TickwheelDocument)) : read).toEqual([])
    expect(await exported(['billing'])).toEqual(one)
    expect((await apply(one)).counts).toMatchObject({ create: 0, change: 0, none: 5 })
  })

  it('are compared rule by rule, and a dry run leaves none of its rules behind', async () => {
    // a database that tests share has what they left on its shelf
    await db.read(async (tx) => tx.watch.calendars.forget(new Set(Array.from({ length: 1000 }, (_, index) => index))))
    const none = { ...rules, weekend: [1, 2, 3, 4, 5, 6] }
    await apply({ ...document, calendars: [{ name: 'China', rules: none }], tasks: [off('China')] }, { dryRun: true })
    await apply({ ...document, tasks: [] })
    const shown = await apply(
      { ...document, groups: [], tasks: [], calendars: [{ name: 'china', rules: { ...rules, days: [] } }] },
      { dryRun: true },
    )
    expect(shown.items.map(({ action, fields }) => [action, fields.map(({ path }) => path)])).toEqual([['change', ['name', 'rules.days']]])
    const ids = await db.read(async (tx) =>
      (await tx.rows(query.selectFrom('calendar').select('id'))).map(({ id: one }) => tx.watch.calendars.get(one, 1)),
    )
    expect(ids).toEqual([null, null])
  })

  it('that are not there, or have problems, are told once', async () => {
    const bad = { name: 'bad', rules: { ...rules, days: [{ from: '2026-13-01', kind: 'off' as const }] } }
    const applied = await apply({
      ...document,
      calendars: [bad],
      tasks: [off('bad'), task('lost', { schedule: { kind: 'fixedRate', everyMs: 1000, calendar: 'nowhere' } })],
    })
    expect(told(applied)).toEqual(['calendars.0.rules.days.0.from CALENDAR_DAY_INVALID', 'tasks.1.schedule.calendar UNKNOWN_REFERENCE'])
  })
})

describe('rights', () => {
  const only =
    (scopes: Partial<Record<Permission, Scope>>) =>
    (permission: Permission): Scope =>
      scopes[permission] ?? []
  const groupId = async (name: string) =>
    id<'group'>((await db.read((tx) => tx.first(query.selectFrom('task_group').select('id').where('name', '=', name))))?.id ?? 0)

  it('are asked of each thing', async () => {
    await apply(whole)
    const scope = [await groupId('billing')]
    const editor = only({ 'group:view': scope, 'task:view': scope, 'task:edit': scope, 'workflow:edit': scope })
    const document: TickwheelDocument = {
      tickwheel: 1,
      groups: [
        { ...billing, concurrency: 1 },
        { name: 'more', appName: 'more' },
      ],
      tasks: [
        task('nightly', { params: 'x' }),
        task('new', { handler: { kind: 'named', name: 'x' } }),
        task('unseen', { group: 'Orders' }),
        task('nightly', { group: 'more' }),
      ],
      workflows: [flow('new', [{ key: 'a', kind: 'task', task: 'billing/每日对账' }])],
    }
    const { problems } = await apply(document, { scopeOf: editor, dryRun: true })
    expect(problems.map(({ path, code, params }) => [path, code, params?.['permission']])).toEqual([
      ['groups.0', 'NOT_PERMITTED', 'group:edit'],
      ['groups.1', 'NOT_PERMITTED', 'group:edit'],
      ['tasks.0', 'NOT_PERMITTED', 'task:editScript'],
      ['tasks.2.group', 'UNKNOWN_REFERENCE', undefined],
      ['workflows.0.steps.0.task', 'WORKFLOW_UNKNOWN_TASK', undefined],
    ])
  })

  it('hide what was there from whoever may not see parameters, and let those who see all of it compare', async () => {
    await apply(whole)
    const scope = [await groupId('billing')]
    const blind = only({ 'group:view': scope, 'task:edit': scope, 'task:editScript': scope })
    const { items } = await apply(
      { tickwheel: 1, tasks: [task('nightly', { params: 'x', enabled: true, priority: 1 })] },
      { scopeOf: blind, dryRun: true },
    )
    expect(items[0]?.fields.find(({ path }) => path === 'params')).toEqual({ path: 'params', hidden: true })
    expect(items[0]?.fields.find(({ path }) => path === 'priority')).toEqual({ path: 'priority', before: 5, after: 1 })
    const viewer = only({ 'group:view': scope, 'task:view': scope, 'task:viewParams': scope })
    const drift = await apply(
      { tickwheel: 1, tasks: [...((await exported(['billing'])).tasks ?? []), task('more')] },
      { scopeOf: viewer, dryRun: true },
    )
    expect({ counts: drift.counts, told: told(drift) }).toMatchObject({ counts: { none: 2 }, told: ['tasks.2 NOT_PERMITTED'] })
    const neither = only({ 'group:view': scope, 'task:view': scope })
    expect(told(await apply({ tickwheel: 1, tasks: [task('nightly')] }, { scopeOf: neither, dryRun: true }))).toEqual([
      'tasks.0 NOT_PERMITTED',
    ])
  })

  it('keep an export to groups that may be exported', async () => {
    await apply(whole)
    const orders = [await groupId('Orders')]
    expect(await exported(null, orders)).toMatchObject({ groups: [{ name: 'Orders' }], tasks: [{ name: 'at once' }] })
    await expect(exported(['billing'], orders)).rejects.toThrow('may not export')
    await expect(exported(['nowhere'])).rejects.toMatchObject({ code: 'GROUP_NOT_FOUND' })
  })
})
