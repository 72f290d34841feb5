import { describe, expect, it } from 'vitest'
import type { ClusterView } from '../../api/cluster.ts'
import { factsWith, nodeWith, slotWith, viewWith } from './cluster.fixture.ts'
import { concernsOf } from './concerns.ts'
import { slotCells } from './slot-cells.ts'

const concerns = (over: Partial<ClusterView> = {}) => {
  const view = viewWith(over)
  return concernsOf(view, slotCells(view, new Map()))
}

describe('what needs attention', () => {
  it('is nothing while all is well, with a dead node that owns nothing, and with a node that tells nothing', () => {
    expect(concerns()).toEqual([])
    expect(concerns({ nodes: [nodeWith(1), nodeWith(3, { isAlive: false, facts: factsWith({ skewMs: 9_000, redis: 'away' }), version: '0.1.0' })] })).toEqual([])
    expect(concerns({ nodes: [nodeWith(1, { facts: null })] })).toEqual([])
  })

  it('is a cluster in which nobody may fire, and then not each of its slots', () => {
    expect(concerns({ nodes: [nodeWith(1, { isAlive: false }), nodeWith(2, { roles: ['api'] })] })).toEqual([{ kind: 'noScheduler' }])
  })

  it('is slots without a live node, whether free or of a silent one', () => {
    const slots = viewWith().slots.map((slot) => (slot.slot < 2 ? slotWith(slot.slot, { owner: null }) : slot.slot === 2 ? slotWith(2, { owner: 9 }) : slot))
    expect(concerns({ slots })).toEqual([{ kind: 'slotsWithoutNode', count: 3 }])
  })

  it('is Redis: away for all in one sentence, away for some by name', () => {
    const away = (runId: number) => nodeWith(runId, { facts: factsWith({ redis: 'away' }) })
    expect(concerns({ redis: 'away', nodes: [away(1), away(2)] })).toEqual([{ kind: 'redisAway' }])
    expect(concerns({ redis: 'away', nodes: [nodeWith(1, { facts: null })] })).toEqual([{ kind: 'redisAway' }])
    expect(concerns({ redis: 'ok', nodes: [nodeWith(1), away(2)] })).toEqual([{ kind: 'redisSplit', nodes: ['node-2'] }])
  })

  it('is each clock from half a second on, and each wheel from a second on', () => {
    const nodes = [nodeWith(1, { facts: factsWith({ skewMs: -500 }) }), nodeWith(2, { facts: factsWith({ skewMs: 499, lagMs: 1_000 }) })]
    expect(concerns({ nodes })).toEqual([{ kind: 'skew', node: 'node-1', skewMs: -500 }, { kind: 'lag', node: 'node-2', lagMs: 1_000 }])
  })

  it('is live nodes of different versions', () => {
    expect(concerns({ level: 2, nodes: [nodeWith(1, { version: '0.10.0' }), nodeWith(2, { version: '0.9.0', level: 2 })] })).toEqual([{ kind: 'versions', versions: ['0.9.0', '0.10.0'], level: 2 }])
  })
})
