import { describe, expect, it } from 'vitest'
import { Origins } from './origin.ts'

const call = (address: string, headers: Readonly<Record<string, string>> = {}) => ({ address, requestId: 'r', headers })
const origins = (trustedProxies: string, more: { isExposed?: boolean; origins?: string } = {}): Origins =>
  new Origins({ isExposed: false, origins: '', trustedProxies, ...more })

describe('the address of a caller', () => {
  it.each<[why: string, trusted: string, address: string, forwarded: string, ip: string]>([
    ['nobody is trusted: what the header says is not believed', '', '10.0.0.1', '1.1.1.1', '10.0.0.1'],
    ['the caller is no proxy of ours', '10.0.0.0/8', '203.0.113.9', '1.1.1.1', '203.0.113.9'],
    ['one proxy of ours', '10.0.0.0/8', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    [
      'what the caller wrote itself stands before it and is not believed',
      '10.0.0.0/8',
      '10.0.0.1',
      '127.0.0.1, 203.0.113.9',
      '203.0.113.9',
    ],
    ['a chain of ours', '10.0.0.0/8', '10.0.0.1', '1.1.1.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['all hops are ours: the first', '10.0.0.0/8', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['a hop that is no address ends it', '10.0.0.0/8', '10.0.0.1', '203.0.113.9, unknown', '10.0.0.1'],
    ['a hop with a port', '10.0.0.0/8', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['a hop of IPv6 with a port', '10.0.0.0/8', '10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['the proxy as IPv4 inside IPv6', '10.0.0.0/8', '::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['the caller as IPv4 inside IPv6', '', '::ffff:203.0.113.9', '', '203.0.113.9'],
    ['a proxy of this machine', '127.0.0.1', '127.0.0.1', '203.0.113.9', '203.0.113.9'],
  ])('%s', (_why, trusted, address, forwarded, ip) => {
    const headers = { host: 'localhost:8080', ...(forwarded === '' ? {} : { 'x-forwarded-for': forwarded }) }
    expect(origins(trusted).of(call(address, headers)).ip).toBe(ip)
  })

  it('is told of at most 32 hops, so that a header of thousands costs nothing', () => {
    const hops = ['203.0.113.9', ...Array.from({ length: 100 }, () => '10.0.0.2')].join(',')
    expect(origins('10.0.0.0/8').of(call('10.0.0.1', { 'x-forwarded-for': hops })).ip).toBe('10.0.0.2')
  })
})

describe('a call', () => {
  it('is one from outside when a proxy stands between, trusted or not, or the server listens on more than this machine', () => {
    const local = { host: 'localhost:8080' }
    expect(origins('').of(call('127.0.0.1', local)).isExposed).toBe(false)
    expect(origins('').of(call('127.0.0.1', { ...local, 'x-forwarded-for': '127.0.0.1' })).isExposed).toBe(true)
    expect(origins('127.0.0.1').of(call('127.0.0.1', { ...local, 'x-forwarded-for': '127.0.0.1' })).isExposed).toBe(true)
    expect(origins('').of(call('127.0.0.1', { host: 'tasks.example.com' })).isExposed).toBe(true)
    expect(origins('', { isExposed: true }).of(call('127.0.0.1', local)).isExposed).toBe(true)
  })

  it('is one of TLS when a trusted proxy says so, by what the nearest one wrote', () => {
    const trusting = origins('10.0.0.1')
    expect(trusting.isHttps(call('10.0.0.1', { 'x-forwarded-proto': 'https' }))).toBe(true)
    expect(trusting.isHttps(call('10.0.0.1', { 'x-forwarded-proto': 'https, http' }))).toBe(false)
    expect(trusting.isHttps(call('10.0.0.2', { 'x-forwarded-proto': 'https' }))).toBe(false)
    expect(trusting.isHttps(call('10.0.0.1'))).toBe(false)
  })
})

describe('a page', () => {
  it.each<[why: string, headers: Record<string, string>, isOwn: boolean]>([
    ['no browser', { host: 'a:8080' }, true],
    ['the address that is called', { host: 'a:8080', origin: 'http://a:8080' }, true],
    ['the port that its scheme has anyway', { host: 'a:443', origin: 'https://A' }, true],
    ['another host', { host: 'a:8080', origin: 'http://evil.example' }, false],
    ['another port', { host: 'a:8080', origin: 'http://a:8081' }, false],
    ['a page of nowhere', { host: 'a:8080', origin: 'null' }, false],
    ['no address', { host: 'a:8080', origin: 'a:8080 ' }, false],
    ['a host that a stranger forwards', { host: 'a:8080', origin: 'http://b', 'x-forwarded-host': 'b' }, false],
    ['one that the settings name', { host: 'a:8080', origin: 'https://tasks.example.com' }, true],
  ])('is ours or not: %s', (_why, headers, isOwn) => {
    expect(origins('', { origins: 'https://tasks.example.com/' }).isOwnPage(call('127.0.0.1', headers))).toBe(isOwn)
  })

  it('is ours under the host that a trusted proxy forwards', () => {
    const headers = { host: 'upstream', origin: 'https://tasks.example.com', 'x-forwarded-host': 'tasks.example.com' }
    expect(origins('10.0.0.1').isOwnPage(call('10.0.0.1', headers))).toBe(true)
  })
})

it.each([
  ['10.0.0.0/8,proxy', '', /http\.trustedProxies .* "proxy" is none/],
  ['', 'tasks.example.com', /http\.origins .* "tasks\.example\.com" is none/],
  ['', 'https://a/console', /http\.origins/],
])('a setting that is none is refused by name: %j %j', (trusted, listed, message) => {
  expect(() => origins(trusted, { origins: listed })).toThrow(message)
})
