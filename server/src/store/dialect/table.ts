/** A table as plain data; each dialect renders it. What MySQL and SQLite both have, and nothing else. */
export type ColumnType = 'int' | 'big' | 'name' | 'text' | 'long' | 'blob'

export interface Column {
  readonly type: ColumnType
  readonly nullable: boolean
}

export interface TableSpec {
  readonly name: string
  readonly columns: Readonly<Record<string, Column>>
  readonly primaryKey: readonly string[]
  readonly unique: readonly (readonly string[])[]
  readonly indexes: readonly (readonly string[])[]
  /** MySQL partitions by month on this column, which is in every key: an id (seconds since 2026 × 2^21) or an instant */
  readonly partition?: { readonly by: string; readonly range: 'id' | 'instant' }
}

/**
 * Columns are written as `big`, `int?` …: `?` makes the column nullable. `name` holds up to 255 characters, `text` 64 KiB, `long` 16 MiB.
 */
export function table(
  name: string,
  columns: Readonly<Record<string, ColumnType | `${ColumnType}?`>>,
  primaryKey: readonly string[],
  more: { unique?: readonly (readonly string[])[]; indexes?: readonly (readonly string[])[]; partition?: TableSpec['partition'] } = {},
): TableSpec {
  return {
    name,
    columns: Object.fromEntries(Object.entries(columns).map(([column, type]) => [column, columnOf(type)])),
    primaryKey,
    unique: more.unique ?? [],
    indexes: more.indexes ?? [],
    ...(more.partition === undefined ? {} : { partition: more.partition }),
  }
}

/** Columns that a later migration adds to a table. They are nullable: rows that are there have no value for them. */
export interface AddedColumns {
  readonly table: string
  readonly columns: Readonly<Record<string, Column>>
}

export function columns(name: string, added: Readonly<Record<string, `${ColumnType}?`>>): AddedColumns {
  return { table: name, columns: Object.fromEntries(Object.entries(added).map(([column, type]) => [column, columnOf(type)])) }
}

function columnOf(type: ColumnType | `${ColumnType}?`): Column {
  switch (type) {
    case 'int':
    case 'big':
    case 'name':
    case 'text':
    case 'long':
    case 'blob':
      return { type, nullable: false }
    case 'int?':
      return { type: 'int', nullable: true }
    case 'big?':
      return { type: 'big', nullable: true }
    case 'name?':
      return { type: 'name', nullable: true }
    case 'text?':
      return { type: 'text', nullable: true }
    case 'long?':
      return { type: 'long', nullable: true }
    case 'blob?':
      return { type: 'blob', nullable: true }
  }
}
