import type { Bulk, BulkItem } from '@tickwheel/contract'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { bulkTitle, filterPlace, itemProblem, progressOf, targetPlace } from './bulk-words.ts'

const item: BulkItem = { place: 1, targetId: 7, name: 'nightly', groupName: 'billing', state: 'failed', runId: null, problem: null }
const problem = { code: 'UNPROCESSABLE', detail: 'in English', params: {}, errors: [] }

describe('a bulk operation in words', () => {
  beforeAll(() => loadLocale('en'))

  it('is called by what it does to how many', () => {
    expect([bulkTitle('task', 'stop', 1), bulkTitle('workflow', 'delete', 3), bulkTitle('instance', 'retry', 2)]).toEqual(['Stop 1 task', 'Delete 3 workflows', 'Run 2 runs again'])
  })

  it('says why an item failed, by its field where one is to blame', () => {
    const errors = [{ path: 'enabled', code: 'ENABLED_WITHOUT_SCHEDULE', message: 'no schedule' }]
    expect(itemProblem({ problem: { ...problem, errors } })).toContain('has no schedule')
    expect(itemProblem({ problem: { ...problem, code: 'FORBIDDEN', params: { permission: 'task:run' } } })).toContain('task:run')
    expect(itemProblem({ problem: { ...problem, code: 'OF_A_LATER_RELEASE' } })).toBe('in English')
  })

  it('leads to the things, and to the list with the filter that it was begun with', () => {
    const deleted: Pick<Bulk, 'kind' | 'action'> = { kind: 'task', action: 'delete' }
    expect(targetPlace(deleted, item)).toEqual({ name: 'task', params: { id: 7 } })
    expect(targetPlace(deleted, { ...item, state: 'done' })).toBeNull()
    expect(targetPlace({ kind: 'instance', action: 'cancel' }, { ...item, name: '' })).toBeNull()
    expect(filterPlace({ kind: 'instance', filter: { state: 'failed', groupId: 3, shards: true } })).toEqual({ name: 'runs', query: { state: 'failed', group: '3' } })
    expect(filterPlace({ kind: 'task', filter: null })).toBeNull()
  })

  it('is not at its end before everything is settled', () => {
    expect([progressOf({ total: 1000, done: 998, failed: 1 }), progressOf({ total: 1000, done: 998, failed: 2 })]).toEqual([99, 100])
  })
})
