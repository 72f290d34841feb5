import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { joinParts } from '../../locales/reason-words.ts'
import { aboutStep, type AboutContext } from './step-words.ts'
import { at, runOf } from './workflow-run.fixture.ts'

const edges: AboutContext['edges'] = [
  { from: 'load', to: 'report' },
  { from: 'enough', to: 'report', on: 'branch', branch: 'false' },
]
const actor = { kind: 'user', id: 1, name: 'mei' } as const
type Given = Parameters<typeof runOf>[0][string]

function about(step: Given, more: Partial<AboutContext> = {}): string {
  const [found] = runOf({ report: step }).stepRuns
  return found === undefined ? '' : joinParts(aboutStep(found, { definition: undefined, edges, decisions: ['blocked', 'passed'], ...more }))
}

describe('what is said about a step', () => {
  beforeAll(() => loadLocale('en'))

  it.each<[string, Given, string]>([
    ['blocked', { state: 'skipped', skippedBy: [1, 0] }, 'Skipped, because load did not succeed.'],
    ['not chosen', { state: 'skipped', skippedBy: [1] }, 'Skipped: enough led another way.'],
    ['kept', { reusedFrom: 7, from: 0, to: 1 }, 'Kept from run #7'],
    ['approved', { state: 'succeeded', branch: 'approved', decidedBy: { actor, at: at(1), decision: 'approved', comment: '' } }, 'Approved by mei'],
    ['expired, so that nobody rejected it', { state: 'succeeded', decidedBy: { actor: { ...actor, kind: 'system', name: '' }, at: at(1), decision: 'rejected', comment: '' } }, 'Rejected by Tickwheel'],
    ['split', { from: 0, items: { total: 9, made: 9, ended: { succeeded: 2, failed: 1 } } }, '3 of 9 have ended'],
    ['failed', { state: 'failed', error: { code: 'EXIT_CODE', message: 'exit code 3' } }, 'it ended with an exit code other than 0'],
    ['failed in a way that is not known', { state: 'failed', error: { code: 'NEWER', message: 'said by a newer server' } }, 'said by a newer server'],
    ['plain', { from: 0 }, ''],
  ])('that was %s', (_why, step, expected) => expect(about(step)).toBe(expected))

  it('tells what it waits for: a person, another task, an instant', () => {
    const waiting = { state: 'waiting', nextAt: at(60) } as const
    expect(about(waiting, { definition: { key: 'x', kind: 'approval', prompt: 'Send?' } })).toBe('Send?')
    expect(about(waiting, { definition: { key: 'x', kind: 'wait', upstream: { task: 'billing/rates' } } })).toBe('Waits for a success of billing/rates')
    expect(about(waiting, { definition: { key: 'x', kind: 'wait', forMs: 60_000 } })).toMatch(/^Waits until .+/)
    expect(about(waiting, { definition: { key: 'x', kind: 'subWorkflow', workflow: 'a/b' } })).toMatch(/^Tried again at .+/)
  })
})
