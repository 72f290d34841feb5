import { Agent, request } from 'node:http'

export type Call = (method: string, path: string, body: unknown) => Promise<unknown>

/** Calls of the API over so many kept connections; `fetch` costs more than the server does. `end` closes them. */
export function openCalls({ port, token, atOnce }: { port: number; token: string; atOnce: number }): {
  readonly call: Call
  readonly end: () => void
} {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const call: Call = (method, path, body) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      const sent = request({ agent, host: '127.0.0.1', port, method, path: `/api/v1${path}`, headers }, (answer) => {
        let received = ''
        answer.setEncoding('utf8').on('data', (part: string) => {
          received += part
        })
        answer.on('end', () =>
          (answer.statusCode ?? 500) < 300 ? resolve(JSON.parse(received)) : reject(new Error(`${path}: ${answer.statusCode} ${received}`)),
        )
      })
      sent.on('error', reject)
      sent.end(text)
    })
  return { call, end: () => agent.destroy() }
}

/** Does `one` so many times, at most `atOnce` at a time. */
export async function many({ count, atOnce }: { count: number; atOnce: number }, one: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await one(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
