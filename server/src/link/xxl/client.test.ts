import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcp, type AddressInfo, type Server as TcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Networks } from '../networks.ts'
import { call } from './client.ts'

const open: (Server | TcpServer)[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve))
})

async function listening(server: Server | TcpServer): Promise<string> {
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
}

const post = (base: string, more: object = {}) =>
  call(
    { base, path: 'run', body: { a: '界' }, appName: 'app', accessToken: 'secret', networks: Networks.everywhere, ...more },
    { connectMs: 2000, answerMs: 300 },
  )

describe('a call of an executor', () => {
  it('posts JSON with token and app name, and gives status and text', async () => {
    const seen: unknown[] = []
    const listener: RequestListener = (request, response) => {
      let text = ''
      request.on('data', (part: Buffer) => (text += part.toString()))
      request.on('end', () => {
        const { 'content-type': type, 'xxl-job-access-token': token, 'xxl-job-appname': app } = request.headers
        seen.push(request.method, request.url, type, token, app, text)
        response.writeHead(402, { 'Content-Type': 'text/html' }).end('{"code":402}')
      })
    }
    const base = await listening(createServer(listener))
    expect(await post(`${base}/job`)).toEqual({ kind: 'answer', status: 402, text: '{"code":402}' })
    expect(seen).toEqual(['POST', '/job/run', 'application/json;charset=UTF-8', 'secret', 'app', '{"a":"界"}'])
  })

  it.each(['127.0.0.1', 'localhost'])('is not sent to %s when executors are not called there, and says by which setting', async (host) => {
    const called: unknown[] = []
    const base = await listening(createServer((request) => void called.push(request.url)))
    const networks = new Networks({ listed: '10.0.0.0/8', isLoopbackOpen: true })
    const end = await post(base.replace('127.0.0.1', host), { networks })
    expect(end).toMatchObject({ kind: 'unsent', why: expect.stringContaining('executor.networks') as string })
    expect(called).toEqual([])
  })

  it('was not sent when nobody listens', async () => {
    const server = createServer()
    const base = await listening(server)
    await new Promise((resolve) => server.close(resolve))
    open.splice(0)
    expect(await post(base)).toMatchObject({ kind: 'unsent' })
  })

  it('is unsure when the executor took it and did not answer in time', async () => {
    const base = await listening(createTcp((socket) => socket.on('error', () => undefined).resume()))
    expect(await post(base)).toEqual({ kind: 'unsure', why: 'no answer within 300 ms' })
  })

  it('is unsure when the connection breaks before the answer', async () => {
    const base = await listening(createTcp((socket) => socket.once('data', () => socket.destroy())))
    expect(await post(base)).toMatchObject({ kind: 'unsure' })
  })

  it('reads no more of an answer than it may', async () => {
    const base = await listening(createServer((_request, response) => response.end('x'.repeat(5000))))
    expect(await post(base, { answerBytes: 1000 })).toEqual({
      kind: 'unsure',
      why: 'the answer is longer than 1000 bytes',
      isTooLong: true,
    })
  })
})
