import { expect, it } from 'vitest'
import { csvRow } from './csv.ts'

it.each([
  { why: 'texts are quoted, numbers are not, nothing is empty', cells: ['a', -5, null], row: '"a",-5,' },
  { why: 'quotes are doubled, commas and lines stay in their cell', cells: ['say "a", b\nc'], row: '"say ""a"", b\nc"' },
  { why: 'a formula is a text', cells: ['=1+1', '+1', '-1', '@SUM(A1)'], row: `"'=1+1","'+1","'-1","'@SUM(A1)"` },
  { why: 'also behind blanks and control characters', cells: [' =1', '\t=1', '\tx', '\rx'], row: `"' =1","'\t=1","'\tx","'\rx"` },
  { why: 'also in wide signs', cells: ['＝1', '＠x'], row: `"'＝1","'＠x"` },
  { why: 'a quote cannot open a formula', cells: ['"=1'], row: '"""=1"' },
])('$why', ({ cells, row }) => {
  expect(csvRow(cells)).toBe(`${row}\r\n`)
})
