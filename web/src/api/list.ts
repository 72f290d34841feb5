/** The answer of every list. */
export interface List<Item> {
  readonly items: readonly Item[]
  readonly total: number
  readonly totalCapped?: boolean
  readonly page: number
  readonly pageSize: number
  readonly nextCursor?: string | null
}
