import { afterEach, describe, expect, it } from 'vitest'
import { startHarness, type Harness } from './testing/harness.fixture.ts'
import type { FakeServer } from './testing/fake-server.fixture.ts'

let harness: Harness
let server: FakeServer

afterEach(() => harness.close())

async function run(script: string, options: { logLimitBytes?: number } = {}): Promise<void> {
  const started = await startHarness()
  harness = started.harness
  server = started.server
  server.dispatch({ instanceId: 1, handler: { kind: 'shell', script }, ...options })
  await server.result(1)
}

describe('what tasks print', () => {
  it('bytes that are not UTF-8', async () => {
    await run("printf 'a\\377b\\n'")
    expect(server.texts(1)).toEqual(['a�b'])
  })

  it('one megabyte without a line feed', async () => {
    await run('head -c 1000000 /dev/zero | tr "\\0" x')
    const texts = server.texts(1)
    expect(texts.join('').length).toBe(1_000_000)
    expect(Math.max(...texts.map((text) => text.length))).toBe(65_536)
  })

  it('nothing', async () => {
    await run('exit 0')
    expect(server.logs.get('1/1')?.end).toEqual({ lines: 0, bytes: 0, dropped: 0 })
  })

  it('more than the limit: head and tail are kept and the numbers have no hole', async () => {
    await run('seq 1 200000', { logLimitBytes: 1_048_576 })
    const log = server.logs.get('1/1')
    const texts = server.texts(1)
    expect([texts[0], texts.at(-1)]).toEqual(['1', '200000'])
    expect(log?.end).toMatchObject({ lines: 200_001 })
    expect(log?.dropped).toHaveLength(1)
    expect(texts.length + (log?.dropped[0]?.count ?? 0)).toBe(200_001)
  })

  it('20 MB into a server that does not acknowledge: the task waits and nothing is lost', async () => {
    const started = await startHarness()
    harness = started.harness
    server = started.server
    server.isAcknowledging = false
    server.dispatch({ instanceId: 2, handler: { kind: 'shell', script: "seq -f '%079.0f' 1 250000" } })
    const sent = (): number => server.of('log', 2).length
    // an eighth of the window stays free for other frames
    await server.until(() => server.of('log', 2).reduce((sum, frame) => sum + JSON.stringify(frame).length, 0) > 6_500_000 || sent() >= 800)
    expect(server.results.has('2/1')).toBe(false)
    server.dispatch({ instanceId: 3, handler: { kind: 'shell', script: 'true' } })
    await server.result(3)
    server.isAcknowledging = true
    server.acknowledgeWithheld()
    await server.result(2)
    expect(server.logs.get('2/1')?.end).toMatchObject({ lines: 250_000, dropped: 0 })
    expect(server.logs.get('2/1')?.lines.size).toBe(250_000)
  })
})
