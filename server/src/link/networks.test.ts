import { describe, expect, it } from 'vitest'
import { BadNetwork, Networks } from './networks.ts'

const open = new Networks({ listed: '', isLoopbackOpen: true })
const closed = new Networks({ listed: '', isLoopbackOpen: false })
const listed = new Networks({ listed: ' 10.0.0.0/8, 192.168.1.7 ,fd00::/8,', isLoopbackOpen: true })

describe('executors are called', () => {
  it.each([
    // address, [no list and this machine alone, no list and a server for others, a list]
    ['10.1.2.3', [true, true, true]],
    ['192.168.1.7', [true, true, true]],
    ['192.168.1.8', [true, true, false]],
    ['fd12::1', [true, true, true]],
    ['2001:db8::1', [true, true, false]],
    ['::ffff:10.1.2.3', [true, true, true]],
    ['127.0.0.1', [true, false, false]],
    ['::1', [true, false, false]],
    ['::ffff:127.0.0.1', [true, false, false]],
    ['64:ff9b::7f00:1', [true, false, false]],
    ['169.254.169.254', [false, false, false]],
    ['::ffff:169.254.169.254', [false, false, false]],
    ['::ffff:a9fe:a9fe', [false, false, false]],
    ['64:ff9b::a9fe:a9fe', [false, false, false]],
    ['fe80::1', [false, false, false]],
    ['0.0.0.0', [false, false, false]],
    ['::', [false, false, false]],
    ['224.0.0.1', [false, false, false]],
    ['100.100.100.200', [false, false, false]],
    ['fd00:ec2::254', [false, false, true]],
  ])('at %s by the settings: %j', (address, expected) => {
    expect([open, closed, listed].map((networks) => networks.allows(address))).toEqual(expected)
  })

  it('at what is listed only, also where nobody would be called otherwise', () => {
    expect(new Networks({ listed: '169.254.0.0/16', isLoopbackOpen: true }).allows('169.254.1.1')).toBe(true)
    expect(new Networks({ listed: '127.0.0.0/8', isLoopbackOpen: false }).allows('127.0.0.1')).toBe(true)
  })

  it.each(['10.0.0.0/33', '10.0.0/8', 'example.com', '10.0.0.0/8/8', '::/129', '10.0.0.0/-1', '10.0.0.0/'])(
    'in no network that is written %s',
    (part) => expect(() => new Networks({ listed: `10.0.0.0/8,${part}`, isLoopbackOpen: true })).toThrow(BadNetwork),
  )
})

describe('a URL', () => {
  it.each(['http://169.254.169.254/latest', 'http://[::ffff:a9fe:a9fe]:80/', 'http://0xa9fea9fe/', 'http://2852039166/'])(
    '%s is refused with the setting that would let it be called, however it is written',
    async (text) => {
      const refusal = open.refusalOf(new URL(text))
      expect(refusal).toContain('TICKWHEEL_EXECUTOR_NETWORKS')
      expect(await open.refusalNow(new URL(text))).toBe(refusal)
    },
  )

  it('with a name is judged by what the name leads to now', async () => {
    const url = new URL('http://localhost:9999/job')
    expect(closed.refusalOf(url)).toBeNull()
    expect(await closed.refusalNow(url)).toContain('localhost')
    expect(await open.refusalNow(url)).toBeNull()
  })
})

describe('a name', () => {
  const lookUp = async (networks: Networks, all: boolean): Promise<unknown> =>
    new Promise((resolve) => {
      networks.lookup('localhost', { all }, (error, address) => resolve(error === null ? address : error.message))
    })

  it('leads to addresses that may be called only', async () => {
    expect(await lookUp(open, false)).toMatch(/^(127\.0\.0\.1|::1)$/)
    expect(await lookUp(open, true)).toContainEqual(expect.objectContaining({ address: expect.stringMatching(/^(127\.|::1)/) as string }))
    expect(await lookUp(closed, true)).toContain('TICKWHEEL_EXECUTOR_NETWORKS')
    expect(await lookUp(new Networks({ listed: '127.0.0.1', isLoopbackOpen: false }), true)).toEqual([{ address: '127.0.0.1', family: 4 }])
  })
})
