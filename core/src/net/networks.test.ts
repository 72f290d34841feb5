import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callerKey, isHostPattern, isInNetworks, parseAddress, parseNetwork, parseNetworks } from './networks.ts'

describe('an address', () => {
  it.each([
    ['127.0.0.1', 4, 0x7f00_0001n],
    ['255.255.255.255', 4, 0xffff_ffffn],
    ['::', 6, 0n],
    ['::1', 6, 1n],
    ['2001:db8::1', 6, 0x2001_0db8_0000_0000_0000_0000_0000_0001n],
    ['1:2:3:4:5:6:7:8', 6, 0x0001_0002_0003_0004_0005_0006_0007_0008n],
    ['fe80::1%eth0', 6, 0xfe80_0000_0000_0000_0000_0000_0000_0001n],
    ['::ffff:10.0.0.1', 4, 0x0a00_0001n],
    ['::FFFF:a00:1', 4, 0x0a00_0001n],
    ['0:0:0:0:0:ffff:127.0.0.1', 4, 0x7f00_0001n],
  ] as const)('%s is read, and IPv4 inside IPv6 is IPv4', (text, version, value) => {
    expect(parseAddress(text)).toEqual({ version, value })
  })

  it.each(['', '1', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4 ', '0x7f.0.0.1', '2130706433', ':', ':::', '1::2::3'])(
    '%j is none',
    (text) => {
      expect(parseAddress(text)).toBeNull()
    },
  )

  it.each(['1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8', '::g', '12345::', '::1.2.3', 'localhost', ':1::', 'a'.repeat(5000)])(
    '%s is none either',
    (text) => {
      expect(parseAddress(text)).toBeNull()
    },
  )

  it('is itself again, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text)
        if (address === null) throw new Error(`${text} was not read`)
        expect(isInNetworks(address, [{ ...address, length: address.version === 4 ? 32 : 128 }])).toBe(true)
      }),
    )
  })
})

describe('networks', () => {
  const networks = (listed: string) => {
    const list = parseNetworks(listed)
    if (list.kind === 'bad') throw new Error(list.part)
    return list.networks
  }
  const isIn = (text: string, listed: string): boolean => {
    const address = parseAddress(text)
    return address !== null && isInNetworks(address, networks(listed))
  }

  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['172.31.255.255', '192.168.0.1, 172.16.0.0/12', true],
    ['172.32.0.0', '172.16.0.0/12', false],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '::/0', false],
    ['fd00::1', 'fc00::/7', true],
    ['8.8.8.8', '0.0.0.0/0', true],
    ['8.8.8.8', '', false],
  ])('%s in %s: %s', (address, listed, expected) => {
    expect(isIn(address, listed)).toBe(expected)
  })

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/8/8', 'ten', '10.0.0.0/-1'])('%s is none', (text) => {
    expect(parseNetwork(text)).toBeNull()
    expect(parseNetworks(`10.0.0.1, ${text}`)).toEqual({ kind: 'bad', part: text })
  })
})

it('one caller is an IPv4 address, however it is written, and a network of 64 bits of IPv6', () => {
  expect(callerKey('::ffff:192.0.2.7')).toBe('192.0.2.7')
  expect(callerKey('192.0.2.7')).toBe('192.0.2.7')
  expect(callerKey('2001:db8:1:2::1')).toBe(callerKey('2001:db8:1:2:ffff:ffff:ffff:ffff'))
  expect(callerKey('2001:db8:1:3::1')).not.toBe(callerKey('2001:db8:1:2::1'))
  expect(callerKey('x'.repeat(1000))).toHaveLength(64)
})

it('a host is a name, or all below one', () => {
  expect(['localhost', 'a.example.com', '*.example.com', 'under_score'].filter(isHostPattern)).toHaveLength(4)
  expect(
    ['', '*', '*.', 'a..b', '10.0.0', '10.0.0.256', 'a b', 'a/8', 'http://a', '.a', '**.a', 'x'.repeat(64)].filter(isHostPattern),
  ).toEqual([])
})
