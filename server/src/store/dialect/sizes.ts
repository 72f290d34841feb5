/** What a table takes. `bytes`: its rows; `isEstimated`: neither rows nor bytes were counted. */
export interface TableSize {
  readonly table: string
  readonly rows: number
  readonly bytes: number
  readonly indexBytes: number
  readonly isEstimated: boolean
}

/** What a store takes. `freeBytes`: of `totalBytes`, what deletions have left and what is written next fills. */
export interface StoreSizes {
  readonly tables: readonly TableSize[]
  readonly totalBytes: number
  readonly freeBytes: number
}
