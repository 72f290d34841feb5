import { describe, expect, it } from 'vitest'
import { checkForm, formOf, referenceTo } from './variable-form.ts'

const form = { groupId: 1, name: 'DB_HOST', value: 'db.internal', description: '' }
const secret = { id: 1, groupId: null, groupName: null, name: 'PW', description: 'd', version: 3, createdAt: '', updatedAt: '', lastUsedAt: null, isSealed: false }

describe('the form of a variable or a secret', () => {
  it('takes what is right', () => expect(checkForm('variable', form, null)).toEqual({}))
  it.each([
    ['a name that no environment variable may have', 'variable', { name: '1ST' }, ['name']],
    ['no group', 'variable', { groupId: null }, ['groupId']],
    ['a variable of over 8 KiB', 'variable', { value: 'ä'.repeat(4097) }, ['value']],
    ['a secret that could not be hidden', 'secret', { value: 'abc\n de ' }, ['value']],
    ['a new secret without a value', 'secret', { value: '' }, ['value']],
  ] as const)('refuses %s', (_why, kind, more, fields) => expect(Object.keys(checkForm(kind, { ...form, ...more }, null))).toEqual(fields))
  it('keeps the value of a secret that is left empty', () => expect(checkForm('secret', { ...form, value: '' }, secret)).toEqual({}))
  it('never shows the value of a secret', () => expect(formOf(secret, null)).toEqual({ groupId: 0, name: 'PW', value: '', description: 'd' }))
  it('writes references as tasks have them', () => expect([referenceTo('variable', 'A'), referenceTo('secret', 'B')]).toEqual(['${{ vars.A }}', '${{ secrets.B }}']))
})
