import { describe, expect, it } from 'vitest'
import { appendTrace, readTrace, TRACE_LIMIT } from './trace.ts'

describe('the decision trace', () => {
  it('gives back what was added, in order, with instants', () => {
    const trace = appendTrace(appendTrace('[]', 1000, [{ reason: 'fired', at: 1000, facts: { lateMs: 3 } }]), 1000, [
      { reason: 'accepted', at: 1250, facts: {} },
    ])
    expect(readTrace(trace, 1000)).toEqual([
      { reason: 'fired', at: 1000, facts: { lateMs: 3 } },
      { reason: 'accepted', at: 1250, facts: {} },
    ])
  })

  it('stays within its bound and counts what it dropped', () => {
    let trace = '[]'
    for (let turn = 0; turn < 1000; turn += 1)
      trace = appendTrace(trace, 0, [{ reason: 'rejected', at: turn, facts: { code: 'capacity', turn } }])
    expect(trace.length).toBeLessThanOrEqual(TRACE_LIMIT)
    const entries = readTrace(trace, 0)
    const last = entries.at(-1)
    expect(last?.reason).toBe('traceCut')
    expect(entries.length - 1 + Number(last?.facts.dropped)).toBe(1000)
  })

  it('reads damaged text as empty', () => {
    expect(readTrace('[1,2', 0)).toEqual([])
    expect(readTrace('{"a":1}', 0)).toEqual([])
    expect(readTrace('[[9999,1],[1,"x"],null]', 0)).toEqual([])
  })
})
