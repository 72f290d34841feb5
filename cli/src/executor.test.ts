import { describe, expect, it } from 'vitest'
import { optionsOf } from './executor.ts'

describe('the flags of tickwheel executor', () => {
  it('become its options', () => {
    const flags = {
      server: 'http://a:1, http://b:2',
      token: 'twe_x',
      app: 'billing',
      name: 'one',
      capacity: '4',
      handlers: 'shell,http',
      httpDenyPrivate: true,
      httpAllow: '10.1.0.0/16, *.example.com',
      label: ['zone=a', 'x=y=z'],
      envAllow: 'A,B',
      grace: '500',
      logLevel: 'warn',
    }
    expect(optionsOf(flags)).toEqual({
      server: ['http://a:1', 'http://b:2'],
      token: 'twe_x',
      app: 'billing',
      name: 'one',
      capacity: 4,
      handlers: ['shell', 'http'],
      httpDenyPrivate: true,
      httpAllow: ['10.1.0.0/16', '*.example.com'],
      labels: { zone: 'a', x: 'y=z' },
      spool: undefined,
      workdir: undefined,
      envAllow: ['A', 'B'],
      graceMs: 500,
      logLevel: 'warn',
    })
  })

  it.each([
    ['no token', { token: undefined }, '--token is missing'],
    ['a handler that does not exist', { handlers: 'shell,php' }, 'got php'],
    ['a capacity that is no number', { capacity: 'many' }, '--capacity: expected a whole number, got many'],
    [
      'a working folder that is not there',
      { workdir: '/nowhere/at/all' },
      '--workdir: expected a folder that is there, got /nowhere/at/all',
    ],
    ['a value where a name is meant', { envAllow: 'A,B=1' }, '--env-allow: expected names of variables, joined by commas, got B=1'],
    ['a label without a value', { label: ['zone'] }, '--label: expected key=value, got zone'],
  ])('are refused with the flag that is wrong: %s', (_why, flags, message) => {
    expect(() => optionsOf({ token: 'twe_x', handlers: 'shell', ...flags })).toThrow(message)
  })
})
