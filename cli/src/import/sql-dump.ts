/** A value of a dump. */
export type SqlValue = string | number | null
export type SqlRow = Readonly<Record<string, SqlValue>>

const CREATE = /CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?((?:`[^`]+`|[\w$]+)(?:\s*\.\s*(?:`[^`]+`|[\w$]+))?)\s*\(/iy
const INSERT =
  /(?:INSERT|REPLACE)\s+(?:IGNORE\s+)?INTO\s+((?:`[^`]+`|[\w$]+)(?:\s*\.\s*(?:`[^`]+`|[\w$]+))?)\s*(?:\(([^)]*)\)\s*)?VALUES\s*/iy
const COLUMN = /^\s*`([^`]+)`\s+/gm
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', '0': '\0', Z: '\u001a' }

/**
 * Reads rows of some tables from what mysqldump and its kin write: INSERT statements with or without names of columns, which else are taken from the CREATE
 * TABLE before. Everything else is passed over. Throws with the line at which a wanted INSERT cannot be read.
 */
export function readDump(text: string, tables: readonly string[]): ReadonlyMap<string, SqlRow[]> {
  return new Reader(text, tables).read()
}

class Reader {
  readonly #text: string
  readonly #rows: Map<string, SqlRow[]>
  readonly #columns = new Map<string, readonly string[]>()
  #at = 0

  constructor(text: string, tables: readonly string[]) {
    this.#text = text
    this.#rows = new Map(tables.map((table) => [table, []]))
  }

  read(): ReadonlyMap<string, SqlRow[]> {
    while (this.#skipToStatement()) {
      if (this.#create() || this.#insert()) continue
      this.#skipStatement()
    }
    return this.#rows
  }

  #create(): boolean {
    const found = this.#match(CREATE)
    if (found === null) return false
    const begin = this.#at
    this.#skipStatement()
    const columns = [...this.#text.slice(begin, this.#at).matchAll(COLUMN)].flatMap((column) => column[1] ?? [])
    this.#columns.set(nameOf(found[1]), columns)
    return true
  }

  #insert(): boolean {
    const found = this.#match(INSERT)
    if (found === null) return false
    const table = nameOf(found[1])
    const rows = this.#rows.get(table)
    if (rows === undefined) {
      this.#skipStatement()
      return true
    }
    const columns = found[2] === undefined ? this.#columns.get(table) : found[2].split(',').map(nameOf)
    if (columns === undefined)
      throw this.#problem(`the columns of ${table} are not known: neither the INSERT nor a CREATE TABLE names them`)
    do rows.push(this.#row(columns))
    while (this.#take(','))
    return true
  }

  #row(columns: readonly string[]): SqlRow {
    if (!this.#take('(')) throw this.#problem('expected ( before the values of a row')
    const values: SqlValue[] = []
    do values.push(this.#value())
    while (this.#take(','))
    if (!this.#take(')')) throw this.#problem('expected , or ) after a value')
    if (values.length !== columns.length)
      throw this.#problem(`expected ${String(columns.length)} values (${columns.join(', ')}), got ${String(values.length)}`)
    return Object.fromEntries(columns.map((column, place) => [column, values[place] ?? null]))
  }

  #value(): SqlValue {
    this.#skipBlank()
    this.#match(/_(?:binary|utf8mb4|utf8)\s*/iy)
    const quote = this.#text[this.#at]
    if (quote === "'" || quote === '"') return this.#string(quote)
    const hex = this.#match(/0x([\da-f]*)/iy)
    if (hex !== null) return Buffer.from(hex[1] ?? '', 'hex').toString('utf8')
    const number = this.#match(/[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?/iy)
    if (number !== null) return Number(number[0])
    // NULL, TRUE, NOW() …: nothing that a job is made of
    const word = this.#match(/[a-z_]+(?:\s*\([^()]*\))?/iy)
    if (word === null) throw this.#problem('expected a value')
    return /^true$/i.test(word[0]) ? 1 : /^false$/i.test(word[0]) ? 0 : null
  }

  #string(quote: string): string {
    const parts: string[] = []
    let from = (this.#at += 1)
    for (;;) {
      const char = this.#text[this.#at]
      if (char === undefined) throw this.#problem('a text has no end')
      if (char === '\\') {
        const escaped = this.#text[this.#at + 1] ?? ''
        parts.push(this.#text.slice(from, this.#at), ESCAPES[escaped] ?? escaped)
        from = this.#at += 2
      } else if (char === quote) {
        parts.push(this.#text.slice(from, this.#at))
        this.#at += 1
        if (this.#text[this.#at] !== quote) return parts.join('')
        parts.push(quote)
        from = this.#at += 1
      } else this.#at += 1
    }
  }

  /** To the beginning of the next statement; false: there is none. */
  #skipToStatement(): boolean {
    for (;;) {
      this.#skipBlank()
      if (this.#at >= this.#text.length) return false
      if (!this.#take(';')) return true
    }
  }

  /** To its end, over texts and comments. */
  #skipStatement(): void {
    while (this.#at < this.#text.length) {
      this.#skipBlank()
      const char = this.#text[this.#at]
      if (char === ';') return
      if (char === "'" || char === '"') this.#string(char)
      else this.#at += 1
    }
  }

  #skipBlank(): void {
    while (this.#match(/\s+|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\//y) !== null);
  }

  #take(char: string): boolean {
    this.#skipBlank()
    if (this.#text[this.#at] !== char) return false
    this.#at += 1
    return true
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at = pattern.lastIndex
    return found
  }

  #problem(what: string): Error {
    const line = this.#text.slice(0, this.#at).split('\n').length
    return new Error(`line ${String(line)}: ${what}`)
  }
}

/** The last part of a name, without its quotes. */
function nameOf(text = ''): string {
  return text.replaceAll('`', '').split('.').at(-1)?.trim() ?? ''
}
