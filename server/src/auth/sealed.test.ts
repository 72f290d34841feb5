import { expect, it } from 'vitest'
import { Sealed } from './sealed.ts'

const SECRET = 'a secret of at least thirty-two characters'

it('gives a sealed text back to whoever has the secret, and to the same purpose only', () => {
  const sealed = new Sealed(SECRET, 'tokens').seal('my token')
  expect(sealed).not.toContain('my token')
  expect(new Sealed(SECRET, 'tokens').open(sealed)).toBe('my token')
  expect(new Sealed(`${SECRET}!`, 'tokens').open(sealed)).toBeNull()
  expect(new Sealed(SECRET, 'other').open(sealed)).toBeNull()
})

it('never seals the same text into the same one twice', () => {
  const box = new Sealed(SECRET, 'tokens')
  expect(box.seal('x')).not.toBe(box.seal('x'))
})

it.each([
  ['cut', (sealed: string) => sealed.slice(0, -4)],
  ['changed', (sealed: string) => `${sealed.slice(0, 30)}${sealed[30] === 'A' ? 'B' : 'A'}${sealed.slice(31)}`],
  ['empty', () => ''],
  ['of no known form', () => 'my token'],
])('does not open a text that was %s', (_how, spoil) => {
  const box = new Sealed(SECRET, 'tokens')
  expect(box.open(spoil(box.seal('my token')))).toBeNull()
})
