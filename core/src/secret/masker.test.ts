import { describe, expect, it } from 'vitest'
import { Masker } from './masker.ts'

const SECRET = 'tr0ub4dor&3/"x'

describe('Masker', () => {
  const masker = new Masker([SECRET])

  it.each([
    ['as it is', `login ${SECRET} done`, 'login *** done'],
    ['as JSON writes it', `{"a":${JSON.stringify(SECRET)}}`, '{"a":"***"}'],
    ['as a URL writes it', `?p=${encodeURIComponent(SECRET)}&q=1`, '?p=***&q=1'],
    ['twice in a row, as one', SECRET + SECRET, '***'],
    ['in none of these', 'tr0ub4dor', 'tr0ub4dor'],
  ])('hides a secret %s', (_why, text, masked) => expect(masker.text(text)).toBe(masked))

  it.each([0, 1, 2, 3, 4])('hides it inside the base64 of more, %i bytes in', (shift) => {
    const text = Buffer.from(`${'u'.repeat(shift)}${SECRET}::`).toString('base64')
    expect(masker.text(text)).toContain('***')
    expect(Buffer.from(masker.text(text).replace('***', ''), 'base64').toString()).not.toContain('ub4d')
  })

  it('finds overlapping secrets, and hides all that they cover', () => {
    expect(new Masker(['abcdef', 'defghi']).text('-abcdefghi-')).toBe('-***-')
  })

  it('hides the lines of a secret one by one, but no line of under four characters', () => {
    const many = new Masker(['-----BEGIN\nMIIEpAIB\n{}\n'])
    expect(many.text('MIIEpAIB\n{}')).toBe('***\n{}')
  })

  it('hides a secret that goes over the border of lines in both', () => {
    expect(masker.lines(['a tr0ub4d', 'or&3/"x b'], '')).toEqual({ lines: ['a ***', '*** b'], carry: '' })
  })

  it('hides a secret that goes over the border of chunks, wherever it is split', () => {
    for (let cut = 1; cut < SECRET.length; cut += 1) {
      const first = masker.lines([`one ${SECRET.slice(0, cut)}`], '')
      const second = masker.lines([`${SECRET.slice(cut)} two`], first.carry)
      expect(second.lines).toEqual(['*** two'])
      expect(first.lines).toEqual([cut >= SECRET.length / 2 ? 'one ***' : `one ${SECRET.slice(0, cut)}`])
    }
  })

  it('hides what begins a secret where a text was cut', () => {
    expect(masker.text('at tr0ub4', { isCut: true })).toBe('at ***')
    expect(masker.text('at tr0ub4')).toBe('at tr0ub4')
  })

  it('goes through JSON, names of fields and numbers as well', () => {
    const numbers = new Masker(['12345678', 'hunter22'])
    expect(numbers.json({ hunter22: [1, 12345678, { a: 'my hunter22' }], b: null })).toEqual({
      '***': [1, '***', { a: 'my ***' }],
      b: null,
    })
  })

  it('leaves masked text as it is', () => {
    const again = new Masker(['****', '***', SECRET])
    expect(again.text(again.text(`x ${SECRET} y`))).toBe('x *** y')
  })

  it('is harmless without secrets', () => expect(new Masker([]).lines(['a', 'b'], '')).toEqual({ lines: ['a', 'b'], carry: '' }))

  it('hides half a character that a JavaScript text may hold', () => expect(new Masker(['ab\ud800cd']).text('xab\ud800cd')).toBe('x***'))
})
