import { describe, expect, it } from 'vitest'
import { brokenReferenceIn, escapeReferences, fillReferences, referencesIn } from './references.ts'

const values: Readonly<Record<string, string>> = { 'vars.HOST': 'db.internal', 'secrets.PW': 'a"b\n$c' }
const fill = (text: string): string => fillReferences(text, ({ kind, name }) => values[`${kind}.${name}`])

describe('references', () => {
  it('are found once each', () => {
    expect(referencesIn('${{ vars.HOST }} ${{vars.HOST}} ${{ secrets.PW }} $${{ vars.NOT }} ${{ github.sha }}')).toEqual([
      { kind: 'vars', name: 'HOST' },
      { kind: 'secrets', name: 'PW' },
    ])
  })

  it.each([
    ['a plain text takes values as they are', 'p=${{ secrets.PW }}', 'p=a"b\n$c'],
    ['JSON takes them as its strings need them', '{"p":"${{ secrets.PW }}"}', '{"p":"a\\"b\\n$c"}'],
    ['one dollar more is the text itself', '$${{ vars.HOST }}', '${{ vars.HOST }}'],
    ['what is no reference stays', '${{ github.sha }} ${HOST} {{x}}', '${{ github.sha }} ${HOST} {{x}}'],
  ])('are filled: %s', (_why, text, filled) => expect(fill(text)).toBe(filled))

  it('are not filled with nothing', () => expect(() => fill('${{ vars.GONE }}')).toThrow('vars.GONE'))

  it.each(['${{ vars.HOST }}', '$${{ secrets.PW }}', 'a $$${{vars.HOST}} b', 'none'])('that were computed are texts: %s', (text) => {
    expect(referencesIn(escapeReferences(text))).toEqual([])
    expect(fill(escapeReferences(text))).toBe(text)
  })

  it.each([
    ['${{ secrets.MY-KEY }}', '${{ secrets.MY-KEY'],
    ['${{ vars }}', '${{ vars'],
    ['${{ vars.OK }}', null],
    ['$${{ secrets.MY-KEY }}', null],
    ['${{ github.sha }}', null],
  ])('that are misspelled are told: %s', (text, broken) => expect(brokenReferenceIn(text)).toBe(broken))
})
