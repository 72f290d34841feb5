import { createServer } from 'node:http'
import { readdirSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { FakeServer } from './testing/fake-server.fixture.ts'
import { startHarness, type Harness } from './testing/harness.fixture.ts'

/* What an executor hides by itself, before anything of it is written to its disk or sent. */
const SECRET = 'kX9#mQ2$vL7!'
let harness: Harness
let server: FakeServer

async function start(): Promise<void> {
  const started = await startHarness()
  harness = started.harness
  server = started.server
}

afterEach(() => harness.close())

describe('a run that was given a secret', () => {
  it('gets it as environment, and hides it in lines, result and error', async () => {
    await start()
    const script = `printf 'a %s' "\${PW%?????}"; sleep 0.1; printf '%s b\\n' "\${PW#???????}"; printf '%s' "$PW" | base64; echo "\\"$PW\\"" > "$TICKWHEEL_RESULT"`
    server.dispatch({ instanceId: 1, handler: { kind: 'shell', script, env: { PW: SECRET } }, secrets: [SECRET] })
    expect((await server.result(1)).result).toBe('***')
    expect(server.texts(1)).toEqual(['a *** b', '***'])
    server.dispatch({
      instanceId: 2,
      handler: { kind: 'shell', script: 'echo "no $PW" >&2; exit 1', env: { PW: SECRET } },
      secrets: [SECRET],
    })
    expect((await server.result(2)).error?.message).toContain('no ***')
  })

  it('keeps none of it on its disk while the server takes nothing', async () => {
    await start()
    server.isAcknowledging = false
    server.dispatch({
      instanceId: 3,
      handler: { kind: 'shell', script: 'echo "$PW"; echo "\\"$PW\\"" > "$TICKWHEEL_RESULT"', env: { PW: SECRET } },
      secrets: [SECRET],
    })
    await server.result(3)
    const spool = join(harness.folder, 'spool')
    const files = readdirSync(spool, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    expect(texts.join('\n')).toContain('***')
    expect(texts.filter((text) => text.includes(SECRET))).toEqual([])
  })

  it('hides it over the place where a line of more than 64 KiB is cut', async () => {
    await start()
    const script = `head -c ${String(65_536 - 8)} /dev/zero | tr '\\0' x; printf '%syyyyyyyyyy' "$PW"`
    server.dispatch({ instanceId: 4, handler: { kind: 'shell', script, env: { PW: SECRET } }, secrets: [SECRET] })
    await server.result(4)
    const [first = '', second = ''] = server.texts(4)
    expect([first.slice(-5), second]).toEqual(['xx***', `***${'y'.repeat(10)}`])
  })

  it('hides it in the answer of an HTTP request before the answer is cut', async () => {
    const http = createServer((request, answer) => answer.writeHead(500).end(`${'z'.repeat(495)}${String(request.headers['x-key'])}`))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    await start()
    const url = `http://127.0.0.1:${String((http.address() as AddressInfo).port)}/?key=${encodeURIComponent(SECRET)}`
    server.dispatch({ instanceId: 5, handler: { kind: 'http', url, headers: { 'x-key': SECRET } }, secrets: [SECRET] })
    const { error } = await server.result(5)
    expect(error?.message.slice(-6)).toBe('zzz***')
    expect(server.texts(5).join('\n')).toContain('?key=***')
    http.close()
  })

  it('does not let a task replace the variables that tell of the run', async () => {
    await start()
    server.dispatch({ instanceId: 6, handler: { kind: 'shell', script: 'echo "$TICKWHEEL_INSTANCE_ID $MINE"', env: { MINE: 'mine' } } })
    await server.result(6)
    expect(server.texts(6)).toEqual(['6 mine'])
  })
})
