import { AppError } from '@tickwheel/contract'
import { sql, type RawBuilder } from 'kysely'

/** Which page of a list that stays small. */
export interface PageRequest {
  readonly page: number
  readonly pageSize: number
}

export interface Page<Item> extends PageRequest {
  readonly items: Item[]
  readonly total: number
}

const MAX_OFFSET = 10_000

/** How many rows a page leaves out. 422 `PAGE_TOO_DEEP` beyond 10,000: the store would have to read them all. */
export function offsetOf({ page, pageSize }: PageRequest): number {
  const offset = (page - 1) * pageSize
  if (offset <= MAX_OFFSET) return offset
  throw new AppError('PAGE_TOO_DEEP', `page ${page} begins behind row ${MAX_OFFSET}: narrow the list by a filter`, {
    params: { max: MAX_OFFSET },
  })
}

/** Whether a column contains a text, whatever characters it has; the case does not matter (on SQLite: of ASCII letters). */
export function contains(column: string, text: string): RawBuilder<boolean> {
  return sql<boolean>`lower(${sql.ref(column)}) like lower(${likePattern(text)}) escape '!'`
}

/** What `LIKE … ESCAPE '!'` takes for a text that may stand anywhere. */
export function likePattern(text: string): string {
  return `%${text.replace(/[!%_]/g, (character) => `!${character}`)}%`
}

/** Epoch milliseconds as the API writes them. */
export function instantText(at: number): string
export function instantText(at: number | null): string | null
export function instantText(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
