import { describe, expect, it } from 'vitest'
import { rowsOf, textOfValue, valueOfText, valuesOfRows } from './value-text.ts'

describe('values as text', () => {
  it.each(['', 'hello', '=steps.a.output.rows + 1', '== literal', '5', 'true', '"quoted"', '{"a":1}', 5, true, null, [1, 'two'], { a: { b: '=item' } }])('%j goes both ways', (value) => {
    expect(valueOfText(textOfValue(value))).toEqual(value)
  })

  it('a number is typed as one, and a text of digits in quotes', () => {
    expect([valueOfText('5'), valueOfText('"5"'), valueOfText('5 rows')]).toEqual([5, '5', '5 rows'])
    expect(textOfValue('5')).toBe('"5"')
  })

  it('a row without a name is not meant', () => {
    expect(valuesOfRows([...rowsOf({ a: 1, b: '=x' }), { name: ' ', text: 'lost' }])).toEqual({ a: 1, b: '=x' })
  })
})
