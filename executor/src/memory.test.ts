import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { Harness } from './testing/harness.fixture.ts'

const MIB = 1_048_576

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}

it('a task that prints 100 MB has its executor hold little of it at any time', { timeout: 60_000 }, async () => {
  const harness = new Harness()
  const { server } = harness
  server.keepLines = false
  await server.start()
  // what is held after a collection: how much garbage V8 leaves beside it differs by 100 MiB from run to run
  const collected = ['--expose-gc', `--import=${pathOf('../../tests/fixtures/held-memory.ts')}`]
  const victim = spawn(
    process.execPath,
    ['--conditions=development', ...collected, pathOf('./testing/victim.fixture.ts'), server.url, harness.folder],
    { stdio: ['ignore', 'inherit', 'pipe'] },
  )
  const printed = text(victim.stderr)
  await server.until(() => server.isJoined)
  victim.kill('SIGUSR2')
  server.dispatch({ instanceId: 1, handler: { kind: 'shell', script: "seq -f '%099.0f' 1 1000000" } })
  const end = await server.result(1)
  victim.kill('SIGUSR2')
  victim.kill('SIGTERM')
  await once(victim, 'exit')
  await harness.close()
  const [idle = 0, peak = Infinity] = [...(await printed).matchAll(/held at most (\d+) bytes/g)].map(([, bytes]) => Number(bytes) / MIB)
  console.log(`held when idle ${idle.toFixed(1)} MiB, at most ${peak.toFixed(1)} MiB`)
  expect(end.outcome).toBe('succeeded')
  expect(server.logs.get('1/1')?.end).toMatchObject({ bytes: 99_000_000 })
  expect(peak - idle).toBeLessThan(64)
})
