import type { InstanceListItem } from '@tickwheel/contract'
import { beforeAll, describe, expect, it } from 'vitest'
import { RUN_STATES, type RunState } from '../../components/run-state.ts'
import { loadLocale } from '../../locales/i18n.ts'
import { durationOf, readColours, runChartOption, statesOfRuns } from './run-chart-option.ts'

const at = '2026-11-22T08:00:00.000Z'
const atMs = Date.parse(at)
const run = (id: number, state: RunState, durationMs: number | null = null): InstanceListItem => ({
  id, taskId: 1, taskName: 't', groupId: 1, groupName: 'g', taskVersion: 1, cause: 'schedule', actor: null, state, attempt: 1, priority: 5, scheduledAt: at, firedAt: at, queuedAt: at, dispatchedAt: at, acceptedAt: at,
  startedAt: durationMs === null ? null : at, endedAt: durationMs === null ? null : new Date(atMs + durationMs).toISOString(), executorId: 1, executorName: 'e', cancelRequestedAt: null, retryOf: null, parentId: null, shard: null, shards: null, retriedBy: null, error: null, waitingFor: null, step: null,
})
const colours = { ...readColours(), states: { ...readColours().states, failed: 'red', succeeded: 'green' } }
const optionOf = (runs: readonly InstanceListItem[]) => runChartOption({ runs, slots: 4, nowMs: atMs + 5_000, colours, font: 'x' })

describe('the chart of the last runs', () => {
  beforeAll(() => loadLocale('en'))

  it('has the newest run at the right edge and empty places on the left', () => {
    const option = optionOf([run(1, 'failed', 100), run(2, 'succeeded', 300)])
    expect(option.series).toMatchObject([{ data: ['-', '-', { value: 100, itemStyle: { color: 'red' } }, { value: 300, itemStyle: { color: 'green' } }] }])
    expect(option.xAxis).toMatchObject({ data: ['-', '-', '1', '2'] })
  })

  it('names lengths as people do', () => {
    const option = optionOf([run(1, 'succeeded', 5_400_000)])
    expect(option.yAxis).toMatchObject({ max: 5_400_000, axisLabel: { customValues: [1_800_000, 3_600_000, 5_400_000] } })
    const axis = Array.isArray(option.yAxis) ? null : option.yAxis
    const formatter = axis?.type === 'value' && typeof axis.axisLabel?.formatter === 'function' ? axis.axisLabel.formatter : null
    expect(formatter?.(5_400_000, 0, undefined)).toBe('1 h 30 min')
  })

  it('lets a run that goes on grow, and keeps a bar for one that never began', () => {
    expect(durationOf({ startedAt: at, endedAt: null }, atMs + 5_000)).toBe(5_000)
    expect(durationOf({ startedAt: null, endedAt: at }, atMs)).toBeNull()
    expect(optionOf([run(1, 'lost'), run(2, 'succeeded', 9)]).series).toMatchObject([{ data: ['-', '-', { value: 0 }, { value: 9 }], barMinHeight: 3 }])
  })

  it('counts each state that occurs, in the order of the console', () =>
    expect(statesOfRuns([run(1, 'failed'), run(2, 'succeeded'), run(3, 'failed')])).toEqual([{ state: 'succeeded', count: 1 }, { state: 'failed', count: 2 }]))

  it('has a colour for every state', () => expect(Object.keys(readColours().states).toSorted()).toEqual(RUN_STATES.toSorted()))
})
