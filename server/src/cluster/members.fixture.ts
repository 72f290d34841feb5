import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { waitFor } from '../../../tests/kit/wait-for.ts'
import type { Members, NodeBeat } from './members.ts'
import type { Pair } from './pair.fixture.ts'

const LONG_MS = 600_000
const SHORT_MS = 50

/** What every adapter of `Members` does. */
export function membersConform(open: () => Promise<Pair<Members>>): void {
  describe('members', () => {
    let a: Members
    let b: Members
    let close: () => Promise<void>

    beforeAll(async () => {
      ;({ a, b, close } = await open())
    })
    beforeEach(async () => {
      for (const { runId } of await a.alive()) await a.leave(runId)
    })
    afterAll(async () => {
      await close()
    })

    it('are those that said so, in the order of their run ids, with what they said last', async () => {
      expect(await a.alive()).toEqual([])
      await a.beat(node(10), LONG_MS)
      await b.beat(node(9, { name: '节点 "九"', url: 'http://[::1]:80/' }), LONG_MS)
      await b.beat(node(2 ** 53 - 1), LONG_MS)
      await a.beat(node(10, { isWatching: true }), LONG_MS)
      const all = [node(9, { name: '节点 "九"', url: 'http://[::1]:80/' }), node(10, { isWatching: true }), node(2 ** 53 - 1)]
      expect(await a.alive()).toEqual(all)
      expect(await b.alive()).toEqual(all)
    })

    it('are forgotten when they leave, and when they say nothing', async () => {
      await a.beat(node(1), LONG_MS)
      await a.beat(node(2), LONG_MS)
      await a.beat(node(3), SHORT_MS)
      await a.leave(2)
      await a.leave(4)
      await waitFor(async () => (await b.alive()).length === 1, { what: 'the end of a silent node', everyMs: 5 })
      expect(await b.alive()).toEqual([node(1)])
      await a.beat(node(3), LONG_MS)
      expect(await b.alive()).toEqual([node(1), node(3)])
    })

    it('are all forgotten when nobody says anything', async () => {
      await a.beat(node(1), SHORT_MS)
      await b.beat(node(2), SHORT_MS)
      await waitFor(async () => (await a.alive()).length === 0, { what: 'the end of silent nodes', everyMs: 5 })
    })
  })
}

function node(runId: number, told: Partial<NodeBeat> = {}): NodeBeat {
  return { runId, name: `node-${runId}`, url: `http://n${runId}:8080`, isWatching: false, ...told }
}
