import type { Account, UserCreate, UserUpdate } from '@tickwheel/contract'
import { bindingsOf, rowsOf, type BindingRow } from '../../components/access/binding-rows.ts'
import { t } from '../../locales/text.ts'

export interface UserForm {
  username: string
  displayName: string
  password: string
  disabled: boolean
  rows: BindingRow[]
}

const USERNAME = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]*$/u
export const MIN_PASSWORD = 8

export function formOf(user: Account | null): UserForm {
  return { username: user?.username ?? '', displayName: user?.displayName ?? '', password: '', disabled: user?.disabled ?? false, rows: rowsOf(user?.bindings ?? []) }
}

/** What is wrong before it is sent: `{ username: 'sentence' }`. The server checks again. */
export function checkUser(form: UserForm, isNew: boolean): Record<string, string> {
  const wrong: Record<string, string> = {}
  if (!isNew) return wrong
  const name = form.username.trim()
  if (name === '') wrong['username'] = t('access.users.nameMissing')
  else if (!USERNAME.test(name)) wrong['username'] = t('access.users.nameBad')
  if (form.password.length < MIN_PASSWORD) wrong['password'] = t('access.users.passwordMissing')
  return wrong
}

export function createOf({ username, displayName, password, rows }: UserForm): UserCreate {
  return { username: username.trim(), displayName: displayName.trim(), password, bindings: bindingsOf(rows) }
}

export function updateOf({ displayName, disabled, rows }: UserForm, version: number): UserUpdate {
  return { displayName: displayName.trim(), disabled, bindings: bindingsOf(rows), version }
}

const LETTERS = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** A password of 20 letters and digits (115 bits) that can be read out: none that look alike. */
export function makePassword(): string {
  let password = ''
  // bytes beyond the last whole number of alphabets would make some letters likelier
  const bound = 256 - (256 % LETTERS.length)
  while (password.length < 20) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) {
      if (byte < bound && password.length < 20) password += LETTERS[byte % LETTERS.length] ?? ''
    }
  }
  return password.replace(/.{5}(?=.)/g, '$&-')
}
