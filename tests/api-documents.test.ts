import type { ApplyAnswer, AuditListItem, Group, Problem, TickwheelDocument } from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import type { ApiClient, Answer } from './kit/api-client.ts'
import { waitFor } from './kit/wait-for.ts'
import { makePerson } from './person.fixture.ts'

/* Export and apply as the calls give them; what they do in the store is tried in server/src/store/documents.test.ts. */
let api: ApiServer
let other: ApiServer
beforeAll(async () => {
  api = await openApi()
  other = await openApi()
})
afterAll(async () => {
  await api.close()
  await other.close()
})

async function sendYaml<Body>(client: ApiClient, path: string, text: string): Promise<Answer<Body>> {
  const response = await fetch(`${client.url}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${String(client.token)}`, 'content-type': 'application/yaml' },
    body: text,
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body }
}
const yamlOf = async (client: ApiClient, query = ''): Promise<string> =>
  (await client.call<string>('GET', `/export${query}`, undefined, { accept: 'application/yaml' })).body

const DOCUMENT = `# kept beside the source
tickwheel: 1
groups:
  - { name: billing, appName: billing, description: 账单 }
tasks:
  - group: billing
    name: every second
    schedule: { kind: fixedRate, everyMs: 1000 }
    handler: { kind: shell, script: "true" }
    params: |
      first

      third
    enabled: true
workflows:
  - group: billing
    name: nightly
    schedule: { kind: cron, expression: 0 0 2 * * *, timezone: Asia/Shanghai }
    steps:
      - { key: work, kind: task, task: billing/every second }
    edges: []
`

describe('a document', () => {
  it('is shown, applied as shown, fires, and leaves an entry for each thing', async () => {
    const shown = await sendYaml<ApplyAnswer>(api.admin, '/apply?dryRun=true', DOCUMENT)
    expect(shown).toMatchObject({ status: 200, body: { dryRun: true, counts: { create: 3, change: 0, none: 0 }, problems: [] } })
    expect(shown.body.items.map(({ key, line, id }) => [key, line, id])).toEqual([
      ['billing', 4, null],
      ['billing/every second', 6, null],
      ['billing/nightly', 16, null],
    ])
    const done = await sendYaml<ApplyAnswer>(api.admin, `/apply?plan=${shown.body.plan ?? ''}`, DOCUMENT)
    expect(done).toMatchObject({ status: 200, body: { dryRun: false, plan: shown.body.plan, counts: { create: 3 } } })
    const entries = await api.admin.get<{ items: AuditListItem[] }>(`/audit?keyword=${done.headers.get('x-request-id') ?? ''}`)
    expect(entries.items.map(({ action }) => action).sort()).toEqual(['group:create', 'task:create', 'workflow:create'])
    const taskId = done.body.items[1]?.id ?? 0
    await waitFor(async () =>
      (await api.admin.get<{ lastFiredAt: string | null }>(`/task/${taskId}`)).lastFiredAt === null ? undefined : true,
    )
    expect(await sendYaml(api.admin, `/apply?plan=${shown.body.plan ?? ''}`, DOCUMENT)).toMatchObject({
      status: 409,
      body: { code: 'PLAN_STALE' },
    })
    await api.admin.post(`/task/${taskId}/stop`)
  })

  it('goes from one installation to another and comes back the same, as YAML and as JSON', async () => {
    const text = await yamlOf(api.admin)
    expect(text).toContain('    params: |\n      first\n\n      third\n')
    expect(await sendYaml(other.admin, '/apply', text)).toMatchObject({ status: 200, body: { counts: { create: 3, none: 1 } } })
    expect(await yamlOf(other.admin)).toBe(text)
    const answer = await other.admin.call<TickwheelDocument>('GET', '/export?groups=billing/default')
    expect(answer.headers.get('content-disposition')).toMatch(/filename="tickwheel-\d{8}T\d{6}Z\.json"/)
    expect(answer.body.groups?.map(({ name }) => name)).toEqual(['billing', 'default'])
    expect(await api.admin.post('/apply', answer.body)).toMatchObject({ counts: { create: 0, change: 0, none: 4 } })
    const entries = await other.admin.get<{ items: AuditListItem[] }>('/audit?action=document:export')
    expect(entries.items).toHaveLength(2)
  })

  it('that is wrong is refused whole, each problem with its line', async () => {
    const wrong = DOCUMENT.replace('0 0 2 * * *', '0 0 25 * * *').replace(
      'group: billing\n    name: every second',
      'group: nowhere\n    name: every second',
    )
    const shown = await sendYaml<ApplyAnswer>(api.admin, '/apply?dryRun=true', wrong)
    expect(shown.body.plan).toBeNull()
    expect(shown.body.problems.map(({ path, code, params }) => [path, code, params?.['line']])).toEqual([
      ['tasks.0.group', 'UNKNOWN_REFERENCE', 6],
      ['workflows.0.schedule.expression', 'CRON_OUT_OF_RANGE', 18],
    ])
    const refused = await sendYaml<Problem>(api.admin, '/apply', wrong)
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'UNPROCESSABLE', errors: [{ path: 'tasks.0.group', params: { line: 6 } }, {}] },
    })
  })

  it.each([
    [
      'text that is no YAML',
      'tickwheel: 1\ntasks: [',
      { status: 400, body: { code: 'VALIDATION_FAILED', errors: [{ params: { line: 2 } }] } },
    ],
    [
      'a field that is not known',
      DOCUMENT.replace('params:', 'parms:'),
      { status: 400, body: { errors: [{ path: 'tasks.0.parms', params: { line: 10 } }] } },
    ],
    [
      'a document of another form',
      DOCUMENT.replace('tickwheel: 1', 'tickwheel: 2'),
      { status: 400, body: { errors: [{ path: 'tickwheel' }] } },
    ],
    [
      'a token in a group',
      DOCUMENT.replace('appName: billing,', 'appName: billing, xxlToken: x,'),
      { status: 400, body: { errors: [{ path: 'groups.0.xxlToken' }] } },
    ],
    ['more than is read', `# ${'x'.repeat(1_048_576)}\n${DOCUMENT}`, { status: 413, body: { code: 'BODY_TOO_LARGE' } }],
    [
      'aliases that stand for each other',
      `tickwheel: 1\ntasks: &a [${'x, '.repeat(40)}]\ngroups: [${'*a, '.repeat(400)}]\nworkflows: [${'*a, '.repeat(400)}]`,
      { status: 400, body: { code: 'VALIDATION_FAILED' } },
    ],
  ])('is refused: %s', async (_what, text, expected) => {
    expect(await sendYaml(api.admin, '/apply', text)).toMatchObject(expected)
  })
})

describe('rights', () => {
  it('are asked of each thing: a viewer compares, and applies nothing', async () => {
    const { items } = await api.admin.get<{ items: Group[] }>('/group')
    const groupId = items.find(({ name }) => name === 'billing')?.id ?? 0
    const viewer = await makePerson(api, 'viewer', [{ role: 'viewer', groupIds: [groupId] }])
    await api.admin.post('/role', { name: 'blind', permissions: ['group:view', 'task:view', 'workflow:view'] })
    const blind = await makePerson(api, 'blind', [{ role: 'blind', groupIds: [groupId] }])
    const nobody = await makePerson(api, 'nobody')
    const text = await yamlOf(viewer)
    expect(text).toBe(await yamlOf(api.admin, '?groups=billing'))
    const changed = text.replace('description: 账单', 'description: other')
    expect(await sendYaml(viewer, '/apply?dryRun=true', changed)).toMatchObject({
      status: 200,
      body: { counts: { none: 2 }, problems: [{ path: 'groups.0', code: 'NOT_PERMITTED', params: { permission: 'group:edit', line: 4 } }] },
    })
    const forbidden = { status: 403, body: { code: 'FORBIDDEN', params: { permission: 'group:edit' } } }
    expect(await sendYaml(viewer, '/apply', changed)).toMatchObject(forbidden)
    const unseen = { status: 403, body: { code: 'FORBIDDEN', params: { permission: 'task:viewParams' } } }
    expect(await blind.call('GET', '/export')).toMatchObject(unseen)
    expect(await blind.call('GET', '/export?groups=billing')).toMatchObject(unseen)
    expect(await viewer.call('GET', '/export?groups=default')).toMatchObject({ status: 404, body: { code: 'GROUP_NOT_FOUND' } })
    expect(await nobody.call('GET', '/export')).toMatchObject({ status: 403 })
    expect(await sendYaml(nobody, '/apply', text)).toMatchObject({ status: 403 })
    expect(await api.anonymous.call('GET', '/export')).toMatchObject({ status: 401 })
  })

  it('of a group are enough for that group', async () => {
    const { items } = await api.admin.get<{ items: Group[] }>('/group')
    const groupId = items.find(({ name }) => name === 'billing')?.id ?? 0
    const editor = await makePerson(api, 'editor', [{ role: 'developer', groupIds: [groupId] }])
    const text = await yamlOf(editor)
    expect(text).not.toContain('default')
    const applied = await sendYaml<ApplyAnswer>(editor, '/apply', text.replace('everyMs: 1000', 'everyMs: 2000'))
    expect(applied).toMatchObject({ status: 200, body: { counts: { create: 0, change: 1, none: 2 } } })
  })
})
