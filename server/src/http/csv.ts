/** A row of CSV (RFC 4180): every text quoted, ending in CRLF. */
export function csvRow(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

/**
 * Programs for tables take a text that begins like this for a formula and run it, quoted or not: it gets an apostrophe in front, which they do not show.
 * The wide forms of the signs do the same in some of them.
 */
const FORMULA = /^[\s]*[=+\-@＝＋－＠]|^[\t\r\n]/

function csvCell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return `"${text.replaceAll('"', '""')}"`
}
