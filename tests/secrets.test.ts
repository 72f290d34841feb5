import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type {
  Instance,
  Problem,
  Secret,
  SecretKeys,
  SecretRotation,
  Task,
  TraceEntry,
  Variable,
  VariableUses,
  Workflow,
  WorkflowRun,
} from '@tickwheel/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi, type ApiServer } from './api.fixture.ts'
import { Telltale } from './fixtures/telltale.ts'
import { ended, homeGroup, printed, shellTask, trigger, wholeLog } from './kit/runs.ts'
import { waitFor } from './kit/wait-for.ts'
import { LiveClient } from './live-client.fixture.ts'

/*
 * A run is given a secret and does everything to show it. Then everything that the server and the executor keep and say is searched for it.
 */
const SECRET = 'qZ7-vK2m"x/9+Lw'
/** what a search looks for: the value, as JSON and URLs write it, and its base64 at each alignment */
const FORMS = [
  SECRET,
  JSON.stringify(SECRET).slice(1, -1),
  encodeURIComponent(SECRET),
  ...[0, 1, 2].map((shift) =>
    Buffer.from('u'.repeat(shift) + SECRET)
      .toString('base64')
      .slice(4, -4),
  ),
]

let api: ApiServer
let telltale: Telltale
let home: number

beforeAll(async () => {
  api = await openApi()
  home = await homeGroup(api.admin)
  await api.join()
  telltale = new Telltale(api.url)
  await telltale.join(api.embeddedToken)
  await api.admin.post<Secret>('/secret', { groupId: home, name: 'PASSWORD', value: SECRET, description: 'of the database' })
  await api.admin.post<Variable>('/variable', { groupId: null, name: 'HOST', value: 'db.internal' })
})
afterAll(async () => {
  telltale.close()
  await api.close()
})

/** Whatever is found of the secret in a text. */
const found = (text: string): string[] => FORMS.filter((form) => text.includes(form))

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Everything that the API says of a run. */
async function told(instanceId: number): Promise<string> {
  const parts = await Promise.all([
    api.admin.get(`/instance/${instanceId}`),
    wholeLog(api.admin, instanceId),
    api.admin.get<string>(`/instance/${instanceId}/logs/raw`),
    api.admin.get('/instance?pageSize=100'),
  ])
  return parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join('\n')
}

async function watched(instanceId: number): Promise<{ client: LiveClient; text: () => string }> {
  const client = await new LiveClient(api.url, api.admin.token).open()
  client.send({ type: 'subscribe', id: 1, topic: `instance:${instanceId}:logs`, after: 0 })
  client.send({ type: 'subscribe', id: 2, topic: `instance:${instanceId}` })
  await client.hear('subscribed', 2)
  return { client, text: () => JSON.stringify(client.heard) }
}

describe('a secret that its run does everything to show', () => {
  const script = `
printf 'split %s' "\${PW%??????}"; sleep 0.2; printf '%s\\n' "\${PW#?????????}"
echo "whole $PW"; echo "to stderr $PW" >&2
printf 'u:%s' "$PW" | base64
echo "params $1 and $TICKWHEEL_PARAMS on $HOST_NAME"
printf '{"seen": %s}' "$TICKWHEEL_PARAMS" > "$TICKWHEEL_RESULT"
`
  const env = { PW: '${{ secrets.PASSWORD }}', HOST_NAME: '${{ vars.HOST }}' }
  const params = '{"pw":"${{ secrets.PASSWORD }}"}'

  it('is in none of what is kept of a run at an executor of ours', async () => {
    const task = await shellTask(api.admin, 'shows', '', { handler: { kind: 'shell', script, env }, params })
    const instanceId = await trigger(api.admin, task.id)
    const { client, text } = await watched(instanceId)
    const run = await ended(api.admin, instanceId)
    expect(run.result).toEqual({ seen: { pw: '***' } })
    expect(printed(await wholeLog(api.admin, instanceId))).toEqual([
      'split ***',
      'whole ***',
      expect.stringMatching(/^[\w+/=]*\*\*\*[\w+/=]*$/),
      'params {"pw":"***"} and {"pw":"***"} on db.internal',
    ])
    await waitFor(() => client.isEnded(1), { what: 'the end of the live log' })
    expect(found((await told(instanceId)) + text())).toEqual([])
    expect(text()).toContain('whole ***')
    await client[Symbol.asyncDispose]()
  })

  it('is not in the error of a run that fails with it', async () => {
    const failing = `${script}\necho "cannot log in with $PW" >&2; exit 3`
    const task = await shellTask(api.admin, 'fails', '', { handler: { kind: 'shell', script: failing, env }, params })
    const run = await ended(api.admin, await trigger(api.admin, task.id))
    expect(run.error?.message).toContain('cannot log in with ***')
    expect(found(await told(run.id))).toEqual([])
  })

  it('is in none of what is kept of a run at an executor over HTTP, which hides nothing by itself', async () => {
    for (const name of ['tells', 'fails to keep']) {
      const task = await api.admin.post<Task>('/task', {
        groupId: home,
        name,
        schedule: { kind: 'manual' },
        handler: { kind: 'named', name: 'tell' },
        params: '${{ secrets.PASSWORD }}',
      })
      const run = await ended(api.admin, await trigger(api.admin, task.id))
      expect(telltale.dispatches.at(-1)).toMatchObject({ params: SECRET, secrets: [SECRET] })
      const lines = (await wholeLog(api.admin, run.id)).map(({ text }) => text)
      expect(lines).toEqual([
        'first',
        '***',
        '***',
        expect.stringMatching(/^<(\*\*\*)?/),
        '***>',
        'whole ***',
        expect.stringMatching(/^\*\*\*/),
      ])
      if (name === 'tells') expect(run.result).toEqual({ '***': ['***', { deep: expect.stringMatching(/^\*\*\*/) as string }] })
      else expect(run.error?.message).toMatch(/^no access with \*\*\*\nnor \*\*\*/)
      expect(found(await told(run.id))).toEqual([])
    }
  })

  it('is handed through a workflow by reference, and is in no output of it; what is computed refers to nothing', async () => {
    const flow = await api.admin.post<Workflow>('/workflow', {
      groupId: home,
      name: 'hands on',
      schedule: { kind: 'manual' },
      steps: [
        {
          key: 'a',
          kind: 'task',
          inline: { handler: { kind: 'shell', script: 'printf "%s" "$TICKWHEEL_PARAMS" > "$TICKWHEEL_RESULT"' } },
          input: { pw: 'is ${{ secrets.PASSWORD }}', host: '=vars.HOST', given: '=params.text' },
        },
      ],
      edges: [],
      outputs: { all: '=steps.a.output' },
    })
    const body = { params: { text: '${{ secrets.PASSWORD }}' } }
    const { workflowRunId } = await api.admin.post<{ workflowRunId: number }>(`/workflow/${flow.id}/trigger`, body)
    const run = await waitFor(
      async () => {
        const one = await api.admin.get<WorkflowRun>(`/workflow-run/${workflowRunId}`)
        return one.endedAt === null ? null : one
      },
      { what: 'the end of the workflow' },
    )
    expect(run.outputs).toEqual({ all: { pw: 'is ***', host: 'db.internal', given: '${{ secrets.PASSWORD }}' } })
  })

  it('is in no audit entry, in no file of the store, and in none of the spool', async () => {
    await waitFor(async () => (await api.admin.get<{ items: Secret[] }>('/secret')).items[0]?.lastUsedAt ?? null, { what: 'its last use' })
    const listed = await api.admin.get<unknown>('/secret')
    expect(found(JSON.stringify(listed))).toEqual([])
    const files = filesBelow(api.dataDir)
    expect(files.some((file) => file.endsWith('tickwheel.db'))).toBe(true)
    expect(files.flatMap((file) => found(readFileSync(file, 'latin1')).map((form) => `${form} in ${file}`))).toEqual([])
  })
})

describe('variables and secrets', () => {
  const refused = async (path: string, body: object): Promise<[string, string][]> => {
    const { body: problem, status } = await api.admin.call<Problem>('POST', path, body)
    expect(status).toBe(422)
    return (problem.errors ?? []).map((error) => [error.path, error.code])
  }
  const task = (more: object) => ({ groupId: home, name: 'refers', schedule: { kind: 'manual' }, ...more })
  const shell = (env: object) => ({ kind: 'shell', script: 'true', env })

  it('a name that is not there is refused with its place, and so is one that is misspelled', async () => {
    const handler = {
      kind: 'http',
      url: '${{ vars.NO_HOST }}/x',
      headers: { Authorization: 'Bearer ${{ secrets.NO }}' },
      body: '${{ secrets.my-key }}',
    }
    expect(await refused('/task', task({ handler, params: '${{ vars.HOST }} ${{ vars.GONE }}' }))).toEqual([
      ['handler.body', 'BAD_REFERENCE'],
      ['params', 'UNKNOWN_REFERENCE'],
      ['handler.url', 'UNKNOWN_REFERENCE'],
      ['handler.headers.Authorization', 'UNKNOWN_REFERENCE'],
    ])
    const steps = [
      {
        key: 'a',
        kind: 'task',
        inline: { handler: shell({ X: '${{ secrets.NO }}' }) },
        input: { x: ['${{ vars.NONE }}', '=vars.NO_SUCH'] },
      },
    ]
    expect(await refused('/workflow', { groupId: home, name: 'refers', schedule: { kind: 'manual' }, steps, edges: [] })).toEqual([
      ['steps.0.input.x.1', 'WORKFLOW_BAD_REFERENCE'],
      ['steps.0.input.x.0', 'UNKNOWN_REFERENCE'],
      ['steps.0.inline.handler.env.X', 'UNKNOWN_REFERENCE'],
    ])
    const runs = await shellTask(api.admin, 'given', 'true')
    expect(await refused(`/task/${runs.id}/trigger`, { params: '${{ secrets.NO }}' })).toEqual([['params', 'UNKNOWN_REFERENCE']])
  })

  it('a value that could not be hidden, or a name that is taken, is refused', async () => {
    expect(await refused('/secret', { groupId: null, name: 'SHORT', value: '  a \n b ' })).toEqual([['value', 'TOO_SHORT']])
    expect(await refused('/secret', { groupId: home, name: 'PASSWORD', value: 'another one' })).toEqual([['name', 'NAME_TAKEN']])
    expect((await api.admin.call('POST', '/variable', { groupId: null, name: '1ST', value: '' })).status).toBe(400)
  })

  it('that of the group is taken before that of all groups, and a change is there at once', async () => {
    const shadow = await api.admin.post<Variable>('/variable', { groupId: home, name: 'REGION', value: 'own' })
    await api.admin.post<Variable>('/variable', { groupId: null, name: 'REGION', value: 'all' })
    const say = await shellTask(api.admin, 'says', '', {
      handler: { kind: 'shell', script: 'echo "$R"', env: { R: '${{ vars.REGION }}' } },
    })
    const said = async (): Promise<string[]> => {
      const run = await ended(api.admin, await trigger(api.admin, say.id))
      return printed(await wholeLog(api.admin, run.id))
    }
    expect(await said()).toEqual(['own'])
    await api.admin.put(`/variable/${shadow.id}`, { value: 'changed', version: 1 })
    expect(await said()).toEqual(['changed'])
    await api.admin.delete(`/variable/${shadow.id}`)
    expect(await said()).toEqual(['all'])
    const uses = await api.admin.get<VariableUses>(`/variable/${shadow.id + 1}/use`)
    expect(uses.items.map(({ name }) => name)).toEqual(['says'])
  })

  it('a run whose secret was deleted meanwhile fails with the reason', async () => {
    const gone = await api.admin.post<Secret>('/secret', { groupId: home, name: 'GONE_SOON', value: 'a value to lose' })
    const needs = await shellTask(api.admin, 'needs', '', {
      handler: { kind: 'shell', script: 'echo $X', env: { X: '${{ secrets.GONE_SOON }}' } },
    })
    await api.admin.delete(`/secret/${gone.id}`)
    const run: Instance = await ended(api.admin, await trigger(api.admin, needs.id))
    expect([run.state, run.error?.code]).toEqual(['failed', 'REFERENCE_UNKNOWN'])
    const { items } = await api.admin.get<{ items: TraceEntry[] }>(`/instance/${run.id}/events`)
    expect(items.map(({ reason }) => reason)).toContain('referenceUnknown')
  })

  it('a secret that was replaced while its run printed it is hidden all the same', async () => {
    const first = await api.admin.post<Secret>('/secret', { groupId: home, name: 'TURNS', value: 'the-first-value' })
    const slow = await api.admin.post<Task>('/task', {
      ...task({ handler: { kind: 'named', name: 'tell' } }),
      name: 'slow',
      params: '${{ secrets.TURNS }}',
    })
    const run = await ended(api.admin, await trigger(api.admin, slow.id))
    await api.admin.put(`/secret/${first.id}`, { value: 'the-second-value', version: 1 })
    const again = await ended(api.admin, await trigger(api.admin, slow.id))
    for (const { id } of [run, again]) expect((await told(id)).match(/the-(first|second)-value/g)).toBeNull()
  })
})

describe('another key', () => {
  it('opens what the old one has sealed, seals it anew on request, and without the old one says what to do', async () => {
    const oldKey = 'k'.repeat(32)
    const newKey = 'n'.repeat(32)
    await using before = await openApi({ TICKWHEEL_SECRETS_KEY: oldKey })
    await before.admin.post<Secret>('/secret', { groupId: null, name: 'SEALED', value: 'sealed with the old' })
    await before.server.stop()
    const env = { TICKWHEEL_DATA_DIR: before.dataDir }

    await using without = await openApi({ ...env, TICKWHEEL_SECRETS_KEY: newKey })
    expect((await without.admin.get<{ items: Secret[] }>('/secret')).items[0]?.isSealed).toBe(true)
    await without.join()
    const needs = await shellTask(without.admin, 'needs', '', {
      handler: { kind: 'shell', script: 'test -n "$X"', env: { X: '${{ secrets.SEALED }}' } },
    })
    const failed = await ended(without.admin, await trigger(without.admin, needs.id))
    expect([failed.error?.code, failed.error?.message]).toEqual(['SECRET_SEALED', expect.stringContaining('secrets.previousKeys')])
    expect(await without.admin.post<SecretRotation>('/secret/rotate', {})).toEqual({ resealed: 0, left: 0, unknown: 1 })
    await without.close()

    await using both = await openApi({
      ...env,
      TICKWHEEL_SECRETS_KEY: newKey,
      TICKWHEEL_SECRETS_PREVIOUS_KEYS: `${'x'.repeat(32)}, ${oldKey}`,
    })
    expect(await both.admin.post<SecretRotation>('/secret/rotate', {})).toEqual({ resealed: 1, left: 0, unknown: 0 })
    await both.close()

    await using after = await openApi({ ...env, TICKWHEEL_SECRETS_KEY: newKey })
    const { keys, current } = await after.admin.get<SecretKeys>('/secret/key')
    expect(keys).toEqual([{ id: current, secrets: 1, isKnown: true }])
    await after.join()
    expect((await ended(after.admin, await trigger(after.admin, needs.id))).state).toBe('succeeded')
  })
})
