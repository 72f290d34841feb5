import { expect, it } from 'vitest'
import { createLog } from './log.ts'

function linesOf(work: (log: ReturnType<typeof createLog>) => void, level: 'info' | 'warn' = 'info'): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  work(createLog({ logLevel: level }, { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) }))
  return lines
}

it('writes one JSON object a line with time, level, node and the fields of the engine', () => {
  const [line] = linesOf((log) => log.info({ taskId: 3, instanceId: 5, attempt: 1, requestId: 'r-1' }, 'dispatched'))
  expect(line).toMatchObject({
    level: 'info',
    node: expect.any(String),
    taskId: 3,
    instanceId: 5,
    attempt: 1,
    requestId: 'r-1',
    msg: 'dispatched',
  })
  expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

it('names the process where it has a name of its own', () => {
  const lines: string[] = []
  createLog({ logLevel: 'info', name: 'node-a' }, { write: (line: string) => lines.push(line) }).info('ready')
  expect(lines[0]).toContain('"node":"node-a"')
})

it('masks secrets wherever they stand', () => {
  const secrets = {
    password: 'p-1',
    body: { refreshToken: 'p-2', inner: { token: 'p-3' } },
    req: { headers: { authorization: 'Bearer p-4', 'sec-websocket-protocol': 'bearer.p-5' } },
  }
  const [line] = linesOf((log) => log.info(secrets, 'asked'))
  expect(JSON.stringify(line)).not.toMatch(/p-\d/)
  expect(line).toMatchObject({ password: '***' })
})

it('leaves out what is below its level', () => {
  expect(
    linesOf((log) => {
      log.info('no')
      log.warn('yes')
    }, 'warn'),
  ).toHaveLength(1)
})

it('writes an error with its stack', () => {
  const [line] = linesOf((log) => log.error({ err: new Error('broken') }, 'unexpected'))
  expect(line).toMatchObject({ err: { message: 'broken', stack: expect.stringContaining('log.test') } })
})
