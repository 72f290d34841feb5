import { expect, it } from 'vitest'
import { parseRedisUrl, withoutAccount } from './redis-url.ts'

const plain = { isCluster: false, isTls: false, username: null, password: null, db: 0 }

it.each([
  ['a host alone', 'redis://cache', { ...plain, nodes: [{ host: 'cache', port: 6379 }] }],
  ['a port and a database', 'redis://10.0.0.1:7000/3', { ...plain, nodes: [{ host: '10.0.0.1', port: 7000 }], db: 3 }],
  ['a password', 'redis://:s%40cret/@h:1/', { ...plain, nodes: [{ host: 'h', port: 1 }], password: 's@cret/' }],
  ['a password with what should be escaped', 'redis://:a@b%@h', { ...plain, nodes: [{ host: 'h', port: 6379 }], password: 'a@b%' }],
  ['a user and TLS', 'rediss://me:pw@h', { ...plain, nodes: [{ host: 'h', port: 6379 }], isTls: true, username: 'me', password: 'pw' }],
  ['an address of six', 'redis://[::1]:7000', { ...plain, nodes: [{ host: '::1', port: 7000 }] }],
  [
    'Redis Cluster',
    'redis+cluster://:pw@a:1,b,[::2]:3',
    {
      ...plain,
      isCluster: true,
      password: 'pw',
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6379 },
        { host: '::2', port: 3 },
      ],
    },
  ],
  ['Redis Cluster with TLS', 'rediss+cluster://a:1', { ...plain, isCluster: true, isTls: true, nodes: [{ host: 'a', port: 1 }] }],
])('reads %s', (_what, url, target) => {
  expect(parseRedisUrl(url)).toEqual(target)
})

it.each([
  ['nothing', ''],
  ['another scheme', 'http://me:s3cret@h'],
  ['no scheme', 'me:s3cret@h:6379'],
  ['no host', 'redis://me:s3cret@'],
  ['a port that is none', 'redis://me:s3cret@h:70000'],
  ['a database that is none', 'redis://me:s3cret@h/jobs'],
  ['several hosts without cluster', 'redis://me:s3cret@a,b'],
  ['a number with cluster', 'redis+cluster://me:s3cret@a,b/2'],
  ['an empty node', 'redis+cluster://me:s3cret@a,'],
])('refuses %s, and says the form but not the password', (_what, url) => {
  const refusal = (): unknown => parseRedisUrl(url)
  expect(refusal).toThrow('must have the form redis://')
  expect(refusal).not.toThrow('s3cret')
})

it('tells an address without user and password', () => {
  expect(withoutAccount('rediss+cluster://me:s@cret@a:1,b:2')).toBe('rediss+cluster://a:1,b:2')
  expect(withoutAccount('redis://a:1/2')).toBe('redis://a:1/2')
})
