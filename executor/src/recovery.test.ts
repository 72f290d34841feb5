import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identityOf, membersOf } from './spool/process-identity.ts'
import type { FakeServer } from './testing/fake-server.fixture.ts'
import { Harness } from './testing/harness.fixture.ts'

let harness: Harness
let server: FakeServer
let victims: ChildProcess[]

beforeEach(async () => {
  harness = new Harness()
  server = harness.server
  victims = []
  await server.start()
})

afterEach(async () => {
  for (const victim of victims) victim.kill('SIGKILL')
  await harness.close()
})

async function startVictim(): Promise<ChildProcess> {
  const joined = server.of('hello').length
  const victim = spawn(
    process.execPath,
    ['--conditions=development', fileURLToPath(new URL('./testing/victim.fixture.ts', import.meta.url)), server.url, harness.folder],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  victims.push(victim)
  await server.until(() => server.of('hello').length > joined)
  return victim
}

async function kill(victim: ChildProcess): Promise<void> {
  victim.kill('SIGKILL')
  await once(victim, 'exit')
  await server.until(() => !server.isJoined)
}

function spools(): string[] {
  const home = join(harness.folder, 'spool', 'test@one')
  return existsSync(home) ? readdirSync(home) : []
}

describe('an executor that was killed', () => {
  it('delivers at its next start the results and lines that were not acknowledged, and then says recovered', async () => {
    const victim = await startVictim()
    await server.until(() => server.of('recovered').length === 1)
    server.isAcknowledging = false
    server.dispatch({ instanceId: 1, handler: { kind: 'shell', script: 'echo hello; echo "{\\"a\\":1}" > "$TICKWHEEL_RESULT"' } })
    await server.result(1)
    await kill(victim)
    server.frames.length = 0
    server.results.clear()
    server.logs.clear()
    server.isAcknowledging = true
    server.bootId = 101
    await startVictim()
    await server.until(() => server.of('recovered').length === 1)
    expect(server.results.get('1/1')).toMatchObject({ outcome: 'succeeded', result: { a: 1 }, bootId: 100 })
    expect(server.texts(1)).toEqual(['hello'])
    const types = server.frames.map((frame) => frame.type).filter((type) => type !== 'heartbeat')
    expect(types).toEqual(['hello', 'log', 'logEnd', 'finished', 'recovered'])
    expect(server.of('recovered')).toMatchObject([{ bootId: 101 }])
    expect(spools()).toHaveLength(1)
  })

  it('ends at its next start the processes that outlived it', async () => {
    const victim = await startVictim()
    server.dispatch({
      instanceId: 2,
      handler: { kind: 'shell', script: 'trap "" TERM; echo $$ > pid; echo ready; while :; do sleep 0.05; done' },
    })
    await server.until(() => server.texts(2).includes('ready'))
    const group = Number(readFileSync(join(harness.folder, 'pid'), 'utf8'))
    await kill(victim)
    expect(membersOf(group)).not.toEqual([])
    await startVictim()
    await server.until(() => server.of('recovered').length === 2)
    expect(membersOf(group)).toEqual([])
  })

  it('does not touch a process that got the pid of one of its own', async () => {
    const bystander = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
    victims.push(bystander)
    const group = bystander.pid ?? 0
    const folder = join(harness.folder, 'spool', 'test@one', '1-1-dead')
    mkdirSync(join(folder, 'groups'), { recursive: true })
    writeFileSync(join(folder, 'owner.json'), JSON.stringify({ pid: 1, identity: 'another boot/1' }))
    writeFileSync(
      join(folder, 'groups', String(group)),
      JSON.stringify({ group, identity: 'another boot/1', marker: 'not in its environment' }),
    )
    await startVictim()
    await server.until(() => server.of('recovered').length === 1)
    expect(identityOf(group)).not.toBeNull()
    expect(existsSync(folder)).toBe(false)
  })

  it('passes over a segment that was torn at its end', async () => {
    const victim = await startVictim()
    server.isAcknowledging = false
    server.dispatch({ instanceId: 3, handler: { kind: 'shell', script: 'true' } })
    await server.result(3)
    await kill(victim)
    const folder = join(harness.folder, 'spool', 'test@one', spools()[0] ?? '')
    const segment = join(folder, readdirSync(folder).find((file) => file.startsWith('end-')) ?? '')
    writeFileSync(segment, Buffer.concat([readFileSync(segment), Buffer.from([0, 0, 1, 0, 1, 2, 3, 4, 0x7b])]))
    server.results.clear()
    server.isAcknowledging = true
    await startVictim()
    expect(await server.result(3)).toMatchObject({ outcome: 'succeeded' })
  })

  it('leaves the spool of a process that still lives alone', async () => {
    const victim = await startVictim()
    server.isAcknowledging = false
    server.dispatch({ instanceId: 4, handler: { kind: 'shell', script: 'true' } })
    await server.result(4)
    const [folder] = spools()
    server.isAcknowledging = true
    await startVictim()
    await server.until(() => server.of('recovered').length === 2)
    expect(spools()).toContain(folder)
    expect(identityOf(victim.pid ?? 0)).not.toBeNull()
  })
})

it('an executor process that gets SIGTERM ends with 0 and leaves nothing', async () => {
  const victim = await startVictim()
  server.dispatch({ instanceId: 5, handler: { kind: 'shell', script: 'sleep 0.1; echo x' } })
  await server.until(() => server.of('started', 5).length === 1)
  victim.kill('SIGTERM')
  const [code] = await once(victim, 'exit')
  expect(code).toBe(0)
  expect(server.results.get('5/1')).toMatchObject({ outcome: 'succeeded' })
  expect(spools()).toEqual([])
})
