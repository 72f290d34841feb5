import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetch } from 'undici'
import { messageOf } from '../logger.ts'
import { HttpReach, type HttpReachOptions } from './http-reach.ts'

let target: Server
let port: number
beforeAll(async () => {
  target = createServer((request, answer) => {
    if (request.url?.startsWith('/to/') === true) answer.writeHead(302, { location: decodeURIComponent(request.url.slice(4)) }).end()
    else answer.end('inside')
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  port = (target.address() as AddressInfo).port
})
afterAll(() => {
  target.close()
})

/** What comes of a request: what was answered, or why there was none. */
async function reached(url: string, options: HttpReachOptions): Promise<string> {
  const agent = new HttpReach(options).agent()
  try {
    return await (await fetch(url, { dispatcher: agent })).text()
  } catch (error) {
    return messageOf(error)
  } finally {
    await agent.close()
  }
}

const REFUSED = /is not called by this executor/

describe('an HTTP task', () => {
  it('goes anywhere but to what tells secrets of this machine, unless it is closed', async () => {
    expect(await reached(`http://127.0.0.1:${String(port)}/`, {})).toBe('inside')
    for (const host of ['169.254.169.254', '[fd00:ec2::254]', '100.100.100.200', '[::ffff:169.254.169.254]', '0.0.0.0', '0'])
      expect(await reached(`http://${host}:${String(port)}/`, {}), host).toMatch(REFUSED)
  })

  it.each([
    ['this machine', '127.0.0.1'],
    ['this machine by its name', 'localhost'],
    ['this machine written as one number', '2130706433'],
    ['this machine in hexadecimal', '0x7f.1'],
    ['this machine as IPv4 inside IPv6', '[::ffff:127.0.0.1]'],
    ['this machine, IPv6', '[::1]'],
    ['a private network', '10.0.0.1'],
    ['another network', '192.168.1.1'],
    ['a network of carriers', '100.64.0.1'],
    ['a network of IPv6', '[fd00::1]'],
    ['a network behind a translator', '[64:ff9b::10.0.0.1]'],
  ])('does not go to %s where that is closed', async (_what, host) => {
    expect(await reached(`http://${host}:${String(port)}/`, { denyPrivate: true })).toMatch(REFUSED)
  })

  it.each([[['127.0.0.0/8']], [['127.0.0.1']], [['localhost']], [['LOCALHOST']]])('goes there when it is allowed: %j', async (allow) => {
    const host = /^\d/.test(allow[0] ?? '') ? '127.0.0.1' : 'localhost'
    expect(await reached(`http://${host}:${String(port)}/`, { denyPrivate: true, allow })).toBe('inside')
  })

  it('does not go there by a redirect from where it may go', async () => {
    const start = `http://localhost:${String(port)}/to/`
    const there = encodeURIComponent(`http://127.0.0.1:${String(port)}/`)
    expect(await reached(start + there, { denyPrivate: true, allow: ['localhost'] })).toMatch(REFUSED)
    expect(await reached(start + encodeURIComponent('http://169.254.169.254/'), {})).toMatch(REFUSED)
    expect(await reached(start + there, {})).toBe('inside')
  })
})

it('a name below an allowed one is allowed, and one that only ends like it is not', async () => {
  expect(await reached('http://a.localhost:1/', { denyPrivate: true, allow: ['*.localhost'] })).not.toMatch(REFUSED)
  expect(await reached(`http://localhost:${String(port)}/`, { denyPrivate: true, allow: ['*.localhost', 'host'] })).toMatch(REFUSED)
})

it.each(['10.0.0.256', 'http://a', 'a b', '10.0.0.0/33', '*'])('%j is refused by name where it is given', (part) => {
  expect(() => new HttpReach({ allow: [part] })).toThrow(`got ${JSON.stringify(part)}`)
})
