import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { Harness } from './testing/harness.fixture.ts'

function residentMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? '0'
  return Number(kib) / 1024
}

it.runIf(process.platform === 'linux')(
  'a task that prints 100 MB keeps its executor below 150 MiB above idle',
  { timeout: 60_000 },
  async () => {
    const harness = new Harness()
    const { server } = harness
    server.keepLines = false
    await server.start()
    const victim = spawn(
      process.execPath,
      ['--conditions=development', fileURLToPath(new URL('./testing/victim.fixture.ts', import.meta.url)), server.url, harness.folder],
      { stdio: 'inherit' },
    )
    const pid = victim.pid ?? 0
    await server.until(() => server.isJoined)
    const idle = residentMib(pid)
    let peak = 0
    const watch = setInterval(() => (peak = Math.max(peak, residentMib(pid))), 10)
    server.dispatch({ instanceId: 1, handler: { kind: 'shell', script: "seq -f '%099.0f' 1 1000000" } })
    const end = await server.result(1)
    clearInterval(watch)
    victim.kill('SIGTERM')
    await once(victim, 'exit')
    await harness.close()
    console.log(`idle ${idle.toFixed(0)} MiB, peak ${peak.toFixed(0)} MiB`)
    expect(end.outcome).toBe('succeeded')
    expect(server.logs.get('1/1')?.end).toMatchObject({ bytes: 99_000_000 })
    expect(peak - idle).toBeLessThan(150)
  },
)
