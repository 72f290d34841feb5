import type { DocumentItem } from '@tickwheel/contract'
import { describe, expect, it } from 'vitest'
import { detailOf, lineOf, linkOf, rowsToShow, shownChanges } from './plan-rows.ts'

const item = (key: string, action: DocumentItem['action']): DocumentItem => ({ kind: 'task', key, path: 'tasks.0', line: 1, action, id: 1, fields: [], fieldsLeftOut: 0 })

describe('what a document would do', () => {
  it('shows what changes, and the rest when asked for', () => {
    const items = [item('a', 'none'), item('b', 'change'), item('c', 'create')]
    expect(rowsToShow(items, false).map(({ key }) => key)).toEqual(['b', 'c'])
    expect(rowsToShow(items, true).map(({ key }) => key)).toEqual(['b', 'c', 'a'])
  })

  it('shows values as a person reads them, and none that may not be seen', () => {
    expect(
      shownChanges([
        { path: 'tags', before: ['a'], after: ['a', 'b'] },
        { path: 'retry', after: { max: 3 } },
        { path: 'handler.script', before: 'a\nb', after: 'a\nc' },
        { path: 'params', hidden: true },
        { path: 'enabled', before: true, after: false },
      ]),
    ).toEqual([
      { path: 'tags', then: 'a', now: 'a, b', lines: null },
      { path: 'retry', then: '', now: '{\n  "max": 3\n}', lines: expect.any(Array) },
      { path: 'handler.script', then: 'a\nb', now: 'a\nc', lines: [{ kind: 'same', text: 'a' }, { kind: 'then', text: 'b' }, { kind: 'now', text: 'c' }] },
      { path: 'enabled', then: 'true', now: 'false', lines: null },
    ])
  })

  it('knows the line of a problem, and where a thing is', () => {
    expect([detailOf({ code: 'BAD_FORMAT', message: 'is not valid YAML' }), detailOf({ code: 'CRON_NEVER_FIRES', message: 'x' })]).toEqual(['is not valid YAML', ''])
    expect([lineOf({ params: { line: 3 } }), lineOf({})]).toEqual([3, null])
    expect([linkOf({ kind: 'workflow', id: 7, key: 'a/b' }), linkOf({ kind: 'task', id: null, key: 'a/b' })]).toEqual([{ name: 'workflow', params: { id: 7 } }, null])
  })
})
