import { beforeAll, describe, expect, it } from 'vitest'
import { loadLocale } from '../../locales/i18n.ts'
import { checkForm, emptyForm, fileText, formOf, rulesOf } from './calendar-form.ts'
import { readImport } from './read-import.ts'
import { readFileText } from './rules-file.ts'

const RULES = {
  weekend: [6, 7],
  days: [{ from: '2026-10-01', to: '2026-10-07', kind: 'off' as const, name: '国庆节' }, { from: '2026-10-10', kind: 'work' as const }],
  blackouts: [{ kind: 'daily' as const, from: '23:00', to: '01:00', weekdays: [5] }, { kind: 'once' as const, from: '2026-11-11T00:00:00.000Z', to: '2026-11-12T00:00:00.000Z', name: 'freeze' }],
}
const CALENDAR = { id: 1, groupId: null, groupName: null, name: 'cn', description: 'd', version: 3, lastDay: '2026-10-10', useCount: 0, applying: 0, createdAt: '', updatedAt: '', rules: RULES }

describe('the form of a calendar', () => {
  beforeAll(() => loadLocale('en'))

  it('gives back the rules as they were', () => expect(rulesOf(formOf(CALENDAR))).toEqual(RULES))
  it('is exported as a file that can be imported', async () => {
    const text = fileText(formOf(CALENDAR))
    expect(readFileText(text)).toEqual(RULES)
    expect(await readImport(`\uFEFF${text}`, 0)).toEqual({ kind: 'whole', rules: RULES })
    expect(readFileText(JSON.stringify(RULES))).toEqual(RULES)
  })
  it.each([['{"rules":{}}', 'json'], ['{"weekend":[9],"days":[],"blackouts":[]}', 'json'], ['{', 'json'], ['BEGIN:VCALENDAR\nnonsense', 'ics']])('refuses %j as a broken file', async (text, as) => expect(await readImport(text, 0)).toEqual({ kind: 'broken', as }))
  it('leaves out what goes without saying', () => {
    const form = { ...emptyForm(1), days: [{ from: '2026-01-01', to: '2026-01-01', kind: 'off' as const, name: ' ' }], blackouts: [{ kind: 'daily' as const, from: '01:00', to: '02:00', weekdays: [1, 2, 3, 4, 5, 6, 7] }] }
    expect(rulesOf(form)).toEqual({ weekend: [6, 7], days: [{ from: '2026-01-01', kind: 'off' }], blackouts: [{ kind: 'daily', from: '01:00', to: '02:00' }] })
  })
  it('says what is missing', () => {
    const form = { ...emptyForm(null), weekend: [1, 2, 3, 4, 5, 6, 7], blackouts: [{ kind: 'once' as const, from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }] }
    expect(Object.keys(checkForm(form))).toEqual(['groupId', 'name', 'rules.weekend', 'rules.blackouts.0'])
    expect(checkForm(formOf(CALENDAR))).toEqual({})
  })
})
