import { describe, expect, it } from 'vitest'
import { check, type Fault, type Outside, type Verdict } from './check.ts'
import type { Schedule, Span } from './due.ts'
import type { Firing, Ledger, OpenRun, Run, Skip } from './ledger.ts'

const T = Date.UTC(2026, 5, 1, 12, 0, 0)
const SECOND = 1000

/** Two series at rest: the first is due each second of ten, the second waits 500 ms after each of three runs. */
const sound: { readonly ledger: Ledger; readonly outside: Outside } = makeSound()

function makeSound(): { ledger: Ledger; outside: Outside } {
  const cron: Schedule = { kind: 'cron', expression: '* * * * * ?', timezone: 'Asia/Tokyo' }
  const dues = [1, 2, 3, 4, 7, 8, 9, 10].map((second) => T + second * SECOND)
  const delays = [1000, 1700, 2400].map((ms) => T + ms)
  const firings: Firing[] = [
    ...dues.map((dueAt, index) => ({
      seriesId: 1,
      dueAt,
      previousDueAt: index === 4 ? T + 6 * SECOND : dueAt - SECOND,
      instanceId: 100 + index,
    })),
    ...delays.map((dueAt, index) => ({ seriesId: 2, dueAt, previousDueAt: delays[index - 1] ?? 0, instanceId: 200 + index })),
  ]
  const ofFirings = firings.map(({ seriesId, dueAt, instanceId }) =>
    runOf({ id: instanceId, taskId: seriesId * 10, seriesId, dueAt, endedAt: dueAt + 200 }),
  )
  const runs = [...ofFirings, runOf({ id: 300, taskId: 30, seriesId: null, dueAt: null, endedAt: T })]
  return {
    ledger: {
      spans: [
        span({ seriesId: 1, fromAt: T + 1, toAt: T + 10_001, schedule: cron }),
        span({ seriesId: 1, fromAt: T + 10_001, toAt: null, schedule: cron, isEnabled: false }),
        span({ seriesId: 2, fromAt: T, toAt: T + 3_000, schedule: { kind: 'fixedDelay', delayMs: 500 } }),
        span({ seriesId: 2, fromAt: T + 3_000, toAt: null, schedule: { kind: 'fixedDelay', delayMs: 500 }, isEnabled: false }),
      ],
      series: [1, 2].map((id) => ({ id, taskId: id * 10, slot: id, nextDueAt: null, awaitsId: null, held: null })),
      firings,
      skips: [{ seriesId: 1, fromAt: T + 5 * SECOND, toAt: T + 6 * SECOND, previousDueAt: T + 4 * SECOND, count: 2, reason: 1 }],
      runs,
      openRuns: [],
      attempts: [],
      signals: [],
      slots: [{ id: 1, ownerRun: 9, fence: 3, takenAt: T }],
      findings: [],
      nodes: [{ runId: 9, name: 'a', beatAgeMs: 400 }],
    },
    outside: {
      starts: runs.map(({ id }) => ({ instanceId: id, attempt: 1, boot: 'x' })),
      told: [{ taskId: 10, at: T + 11_000, until: T + 20_000, isEnabled: false, schedule: cron }],
      triggered: new Map([[30, [300]]]),
    },
  }
}

function span(given: Pick<Span, 'seriesId' | 'fromAt' | 'toAt' | 'schedule'> & { readonly isEnabled?: boolean }): Span {
  return { anchorAt: T, isEnabled: true, ...given }
}

function runOf(given: Pick<Run, 'id' | 'taskId' | 'seriesId' | 'dueAt' | 'endedAt'>): Run {
  return { createdAt: given.dueAt ?? T, attempt: 1, outcome: 1, executorId: 5, ...given }
}

function words(faults: readonly Fault[]): string {
  return faults.map(({ what }) => what).join('\n')
}

function judge(
  change: (ledger: Ledger, outside: Outside) => { readonly ledger?: Partial<Ledger>; readonly outside?: Partial<Outside> },
): Verdict {
  const { ledger = {}, outside = {} } = change(sound.ledger, sound.outside)
  return check({ ...sound.ledger, ...ledger }, { ...sound.outside, ...outside })
}

const [skip] = sound.ledger.skips as [Skip]
const open: OpenRun = { id: 900, taskId: 10, slot: 1, phase: 4, attempt: 1 }

type Planted = readonly [why: string, kind: 'missing' | 'doubled' | 'stuck', what: RegExp, change: Parameters<typeof judge>[0]]

const PLANTED: readonly Planted[] = [
  [
    'a firing is gone',
    'missing',
    /12:00:03.000Z is due and nothing/,
    ({ firings, runs }) => ({ ledger: { firings: firings.filter(({ instanceId }) => instanceId !== 102), runs } }),
  ],
  ['a skip is gone', 'missing', /12:00:05.000Z is due and nothing/, () => ({ ledger: { skips: [] } })],
  [
    'a skip covers what fired',
    'doubled',
    /12:00:04.000Z is settled 2 times/,
    () => ({ ledger: { skips: [{ ...skip, fromAt: T + 4 * SECOND, count: 3 }] } }),
  ],
  ['a skip counts wrongly', 'missing', /counts 7 and 2 are due/, () => ({ ledger: { skips: [{ ...skip, count: 7 }] } })],
  [
    'what is not due fired',
    'doubled',
    /12:00:03.001Z, which is not due/,
    ({ firings }) => ({ ledger: { firings: firings.map((row) => (row.instanceId === 102 ? { ...row, dueAt: row.dueAt + 1 } : row)) } }),
  ],
  [
    'the chain breaks',
    'missing',
    /the chain breaks/,
    ({ firings }) => ({ ledger: { firings: firings.map((row) => (row.instanceId === 102 ? { ...row, previousDueAt: 5 } : row)) } }),
  ],
  [
    'a run is gone',
    'missing',
    /the run of a firing is not there/,
    ({ runs }) => ({ ledger: { runs: runs.filter(({ id }) => id !== 103) } }),
  ],
  [
    'a run has no firing',
    'doubled',
    /run 777 stands in no firing/,
    ({ runs }) => ({ ledger: { runs: [...runs, runOf({ id: 777, taskId: 10, seriesId: 1, dueAt: T, endedAt: T })] } }),
  ],
  [
    'two firings share a run',
    'doubled',
    /two firings have run 100/,
    ({ firings }) => ({ ledger: { firings: firings.map((row) => (row.instanceId === 101 ? { ...row, instanceId: 100 } : row)) } }),
  ],
  [
    'a delay is not kept',
    'doubled',
    /due at .*02.401Z, the run before ended/,
    ({ firings }) => ({ ledger: { firings: firings.map((row) => (row.instanceId === 202 ? { ...row, dueAt: row.dueAt + 1 } : row)) } }),
  ],
  [
    'spans leave a hole',
    'missing',
    /a span ends at .* and the next begins/,
    ({ spans }) => ({ ledger: { spans: spans.map((row) => (row.fromAt === T + 10_001 ? { ...row, fromAt: T + 10_002 } : row)) } }),
  ],
  [
    'an attempt began twice',
    'doubled',
    /attempt 104\/1 began 2 times/,
    (_ledger, { starts }) => ({ outside: { starts: [...starts, { instanceId: 104, attempt: 1, boot: 'y' }] } }),
  ],
  [
    'an attempt began after the end',
    'doubled',
    /attempt 104\/2 began, and its run ended/,
    (_ledger, { starts }) => ({ outside: { starts: [...starts, { instanceId: 104, attempt: 2, boot: 'y' }] } }),
  ],
  [
    'an attempt is of no run',
    'doubled',
    /attempt 5\/1 began and is of no run/,
    (_ledger, { starts }) => ({ outside: { starts: [...starts, { instanceId: 5, attempt: 1, boot: 'y' }] } }),
  ],
  [
    'a success never began',
    'missing',
    /attempt 104\/1 ended by itself and never began/,
    (_ledger, { starts }) => ({ outside: { starts: starts.filter(({ instanceId }) => instanceId !== 104) } }),
  ],
  [
    'a trigger was not done',
    'missing',
    /answered with run 301, which did not end/,
    () => ({ outside: { triggered: new Map([[30, [300, 301]]]) } }),
  ],
  ['a trigger was done twice', 'doubled', /run 300 was made by a trigger and no answer/, () => ({ outside: { triggered: new Map() } })],
  [
    'a stop was answered and not done',
    'doubled',
    /task 10 was said at .* to be stopped/,
    () => ({ outside: { told: [{ taskId: 10, at: T, until: T + 5, isEnabled: false, schedule: null }] } }),
  ],
  [
    'a start was answered and not done',
    'missing',
    /to be started, and its spans say no/,
    () => ({ outside: { told: [{ taskId: 10, at: T + 11_000, until: T + 12_000, isEnabled: true, schedule: null }] } }),
  ],
  [
    'an edit was answered and not done',
    'missing',
    /changed, and its spans have another schedule/,
    () => ({ outside: { told: [{ taskId: 10, at: T, until: T + 5, isEnabled: null, schedule: { kind: 'fixedRate', everyMs: 700 } }] } }),
  ],
  ['a run is open', 'stuck', /run 900 of task 10 is open in phase 4/, () => ({ ledger: { openRuns: [open] } })],
  ['a signal lies there', 'stuck', /signal 8 was never applied/, () => ({ ledger: { signals: [8] } })],
  ['a series is held', 'stuck', /held/, ({ series }) => ({ ledger: { series: series.map((row) => ({ ...row, held: 'wrong' })) } })],
  [
    'a stopped series is due',
    'stuck',
    /stopped, and due next/,
    ({ series }) => ({ ledger: { series: series.map((row) => ({ ...row, nextDueAt: T })) } }),
  ],
  [
    'a slot has no owner',
    'stuck',
    /slot 1 has no living owner/,
    () => ({ ledger: { slots: [{ id: 1, ownerRun: null, fence: 3, takenAt: T }] } }),
  ],
  [
    'the owner of a slot is dead',
    'stuck',
    /slot 1 has no living owner/,
    () => ({ ledger: { nodes: [{ runId: 9, name: 'a', beatAgeMs: 9_000 }] } }),
  ],
  [
    'the nodes have found something themselves',
    'missing',
    /the reckoner of the nodes found something/,
    () => ({ ledger: { findings: [{ kind: 1 }] } }),
  ],
]

describe('the check of the torture', () => {
  it('finds nothing in a sound world', () => {
    const { missing, doubled, stuck, figures } = judge(() => ({}))
    expect([missing, doubled, stuck]).toEqual([[], [], []])
    expect(figures).toMatchObject({ due: 13, fired: 11, skipRows: 1, triggers: 1, succeeded: 12 })
  })

  it.each(PLANTED)('finds it when %s', (_why, kind, what, change) => {
    expect(words(judge(change)[kind])).toMatch(what)
  })
})
