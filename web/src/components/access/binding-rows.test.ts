import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { bindingsOf, newRow, problemsOf, rowsOf } from './binding-rows.ts'

describe('the rows of the editor of rights', () => {
  beforeAll(() => loadLocale('en'))

  it('are sent as they came', () => {
    const bindings = [{ role: 'viewer', groupIds: null }, { role: 'operator', groupIds: [1, 3] }]
    expect(bindingsOf(rowsOf(bindings))).toEqual(bindings)
  })

  it('of one role are one binding, and all groups win', () => {
    expect(bindingsOf([newRow('viewer', [3]), newRow('viewer', [1, 3])])).toEqual([{ role: 'viewer', groupIds: [1, 3] }])
    expect(bindingsOf([newRow('viewer', [3]), newRow('viewer', null), newRow('viewer', [1])])).toEqual([{ role: 'viewer', groupIds: null }])
  })

  it('say which of them is not complete', () => {
    const rows = [newRow('', null), newRow('viewer', []), newRow('viewer', null), newRow('viewer', [1])]
    expect(rows.map((row) => problemsOf(rows).get(row.id))).toEqual(['Choose a role.', 'Choose at least one group.', undefined, undefined])
  })
})
