import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { factsWith, nodeWith } from './cluster.fixture.ts'
import { skewWords } from './concern-words.ts'
import { markAt, placeNodes, TONES } from './node-marks.ts'
import { hostOf, nodeRows } from './node-rows.ts'

const NOW = Date.parse('2026-11-22T09:00:00.000Z')

describe('the rows of nodes', () => {
  it('put the living before the dead, each by name as people count', () => {
    const rows = nodeRows([nodeWith(1, { isAlive: false, name: 'a' }), nodeWith(2, { name: 'n10' }), nodeWith(3, { name: 'n9' })], new Map(), NOW)
    expect(rows.map((row) => row.node.name)).toEqual(['n9', 'n10', 'a'])
  })

  it.each([[0, false], [499, false], [500, true], [-499, false], [-500, true]])('mark a clock that is %d ms off: %s', (skewMs, isSkewed) => {
    expect(nodeRows([nodeWith(1, { facts: factsWith({ skewMs }) })], new Map(), NOW)[0]?.isSkewed).toBe(isSkewed)
  })

  it.each([[999, false], [1_000, true]])('mark a wheel that is %d ms late: %s', (lagMs, isLate) => {
    expect(nodeRows([nodeWith(1, { facts: factsWith({ lagMs }) })], new Map(), NOW)[0]?.isLate).toBe(isLate)
  })

  it('do not judge the clock, wheel and version of a node that is silent, nor of one that tells nothing', () => {
    const bad = factsWith({ skewMs: 9_000, lagMs: 9_000 })
    const rows = nodeRows([nodeWith(1, { isAlive: false, beatAgeMs: 60_000, version: '0.1.0', facts: bad }), nodeWith(2, { facts: null })], new Map(), NOW)
    expect(rows.map(({ isSkewed, isLate, isOlder }) => [isSkewed, isLate, isOlder])).toEqual([[false, false, false], [false, false, false]])
    expect(rows.map((row) => row.silentSinceMs)).toEqual([null, NOW - 60_000])
  })

  it.each([
    [{ version: '0.9.0', level: 3 }, { version: '0.10.0', level: 3 }],
    [{ version: '0.10.0', level: 2 }, { version: '0.10.0', level: 3 }],
  ])('mark %o as older than %o', (older, newer) => {
    expect(nodeRows([nodeWith(1, older), nodeWith(2, newer)], new Map(), NOW).map((row) => row.isOlder)).toEqual([true, false])
  })

  it('mark nobody while all run the same, whatever the dead ran', () => {
    expect(nodeRows([nodeWith(1), nodeWith(2), nodeWith(3, { isAlive: false, version: '9.0.0' })], new Map(), NOW).some((row) => row.isOlder)).toBe(false)
  })
})

describe('the address of a node', () => {
  it.each([['http://10.4.0.1:8080', '10.4.0.1:8080'], ['https://tick.example.com/', 'tick.example.com'], ['10.4.0.1', '10.4.0.1']])('%s is shown as %s', (url, host) => expect(hostOf(url)).toBe(host))
})

describe('the marks of nodes', () => {
  it('go by name at first, stay when others come and go, and fill what became free', () => {
    const first = placeNodes(new Map(), [nodeWith(7, { name: 'b' }), nodeWith(8, { name: 'a' }), nodeWith(9, { name: 'c' })])
    expect([...first].sort()).toEqual([[7, 1], [8, 0], [9, 2]])
    const second = placeNodes(first, [nodeWith(7, { name: 'b' }), nodeWith(9, { name: 'c' })])
    expect([...second].sort()).toEqual([[7, 1], [9, 2]])
    const third = placeNodes(second, [nodeWith(7, { name: 'b' }), nodeWith(9, { name: 'c' }), nodeWith(10, { name: 'x' }), nodeWith(11, { name: 'y' })])
    expect([third.get(10), third.get(11)]).toEqual([0, 3])
  })

  it('are told apart by their letters where the colours begin again', () => {
    expect(markAt(TONES)).toEqual({ letter: 'I', tone: markAt(0).tone })
    expect(new Set(Array.from({ length: 60 }, (_, place) => markAt(place).letter)).size).toBe(60)
  })
})

describe('how far a clock is off', () => {
  beforeAll(() => loadLocale('en'))
  it.each([[0, '0 ms'], [0.3, '0 ms'], [640, '+640 ms'], [-1_240, '−1.2 s']])('%d ms is %s', (skewMs, words) => expect(skewWords(skewMs)).toBe(words))
})
