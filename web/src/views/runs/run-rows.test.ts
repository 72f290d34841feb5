import type { InstanceListItem } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { mergeRuns } from './run-rows.ts'
import { matches, newerPage, olderPage, requestOf, trailOf } from './run-query.ts'

const at = '2026-11-22T08:00:00.000Z'
const run = (id: number, over: Partial<InstanceListItem> = {}): InstanceListItem => ({
  id, taskId: 1, taskName: 't', groupId: 1, groupName: 'g', taskVersion: 1, cause: 'schedule', actor: null, state: 'running', attempt: 1, priority: 5, scheduledAt: at, firedAt: at, queuedAt: at,
  dispatchedAt: at, acceptedAt: at, startedAt: at, endedAt: null, executorId: 1, executorName: 'e', cancelRequestedAt: null, retryOf: null, parentId: null, shard: null, shards: null, retriedBy: null, error: null, waitingFor: null, step: null, ...over,
})
const brief = (rows: readonly InstanceListItem[]) => rows.map((row) => `${row.id} ${row.state}`)
const base = { matches: () => true, takesNew: true, pageSize: 3 }

describe('rows of the list of runs', () => {
  it('change in place, and the others stay the same objects', () => {
    const rows = [run(9), run(8)]
    const merged = mergeRuns({ ...base, rows, told: [run(8, { state: 'succeeded', endedAt: at })] }).rows
    expect(brief(merged)).toEqual(['9 running', '8 succeeded'])
    expect(merged[0]).toBe(rows[0])
  })

  it('get new runs on top, and drop the oldest beyond a page', () => {
    const merged = mergeRuns({ ...base, rows: [run(9), run(8), run(7)], told: [run(10), run(11)] })
    expect(brief(merged.rows)).toEqual(['11 running', '10 running', '9 running'])
  })

  it('leave out older runs that are not on this page', () => expect(brief(mergeRuns({ ...base, rows: [run(9)], told: [run(3)] }).rows)).toEqual(['9 running']))

  it('hold new runs back where they would shift what a person works with', () => {
    const merged = mergeRuns({ ...base, takesNew: false, rows: [run(9)], told: [run(10), run(9, { state: 'failed', endedAt: at })] })
    expect(brief(merged.rows)).toEqual(['9 failed'])
    expect(brief(merged.heldBack)).toEqual(['10 running'])
  })

  it('lose a run that no longer matches the filters', () =>
    expect(mergeRuns({ ...base, matches: (one) => one.state === 'running', rows: [run(9)], told: [run(9, { state: 'succeeded', endedAt: at })] }).rows).toEqual([]))

  it('never go back from an end', () => {
    const ended = run(9, { state: 'succeeded', endedAt: at })
    expect(mergeRuns({ ...base, rows: [ended], told: [run(9)] }).rows[0]).toBe(ended)
  })
})

describe('the address of the list of runs', () => {
  it('leads to older pages and back, also after a reload', () => {
    const second = olderPage(undefined, 'a')
    const third = olderPage(second, 'b')
    expect(trailOf(third)).toEqual(['a', 'b'])
    expect(requestOf({ task: '7', state: 'failed,lost' }, third, 50)).toEqual({ cursor: 'b', taskId: 7, state: 'failed,lost', pageSize: 50 })
    expect(newerPage(third)).toBe('a')
    expect(newerPage(second)).toBeUndefined()
  })

  it('stays short however deep the page', () => {
    let page: string | undefined
    for (let step = 0; step < 200; step += 1) page = olderPage(page, `c${step}`)
    expect(trailOf(page)).toHaveLength(40)
    expect(trailOf(page).at(-1)).toBe('c199')
  })

  it.each([
    [{}, true],
    [{ state: 'running,queued' }, true],
    [{ state: 'failed' }, false],
    [{ task: '2' }, false],
    [{ executor: '1', cause: 'schedule' }, true],
    [{ from: '2026-11-22T08:00:00.000Z', to: '2026-11-22T09:00:00.000Z' }, true],
    [{ to: '2026-11-22T08:00:00.000Z' }, false],
  ])('decides whether a live run belongs to %j: %s', (filters, isIn) => expect(matches(filters, run(1))).toBe(isIn))
})
