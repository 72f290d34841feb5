import { floorOfInstant, ID_EPOCH_MS } from '../ids.ts'
import type { ReadTx } from '../database.ts'
import type { Column, TableSpec } from './table.ts'

/** The partition that takes what no month takes. It is split while it is empty: months are made ahead. */
export const LAST_PARTITION = 'later'

/** How many months have a partition before they begin, beside the current one. */
const MONTHS_AHEAD = 3

/**
 * The statement that makes a table on MySQL and MariaDB, harmless where it exists, because a table cannot be rolled back. A partitioned one begins with
 * its last partition only, so that the text does not depend on the day; `splits` cuts it into months.
 */
export function renderMysql(spec: TableSpec): string[] {
  const columns = Object.entries(spec.columns).map(([name, column]) => columnText(name, column))
  const keys = [
    `PRIMARY KEY (${list(spec.primaryKey)})`,
    ...spec.unique.map((key) => `UNIQUE KEY \`${spec.name}_${key.join('_')}\` (${list(key)})`),
    ...spec.indexes.map((key) => `KEY \`${spec.name}_${key.join('_')}\` (${list(key)})`),
  ]
  const partition =
    spec.partition === undefined
      ? ''
      : `\nPARTITION BY RANGE (\`${spec.partition.by}\`) (PARTITION \`${LAST_PARTITION}\` VALUES LESS THAN MAXVALUE)`
  return [
    `CREATE TABLE IF NOT EXISTS \`${spec.name}\` (\n  ${[...columns, ...keys].join(',\n  ')}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin${partition}`,
  ]
}

/** The statement that adds a column to a table that is there. */
export function renderMysqlColumn(table: string, name: string, column: Column): string {
  return `ALTER TABLE \`${table}\` ADD COLUMN ${columnText(name, column)}`
}

function columnText(name: string, column: Column): string {
  return `\`${name}\` ${mysqlType(column)}${column.nullable ? '' : ' NOT NULL'}`
}

function list(columns: readonly string[]): string {
  return columns.map((column) => `\`${column}\``).join(', ')
}

function mysqlType(column: Column): string {
  switch (column.type) {
    case 'int':
      return 'INT'
    case 'big':
      return 'BIGINT'
    case 'name':
      return 'VARCHAR(255)'
    case 'text':
      return 'TEXT'
    case 'long':
      return 'MEDIUMTEXT'
    case 'blob':
      return 'LONGBLOB'
  }
}

/** A partition as the server describes it. */
export interface Partition {
  readonly table: string
  readonly name: string
  /** its keys are below this; null: no limit */
  readonly below: number | null
}

export async function readPartitions(tx: ReadTx): Promise<Partition[]> {
  const rows = await tx.all<{ t: string; name: string; below: string }>(
    'SELECT TABLE_NAME AS t, PARTITION_NAME AS name, PARTITION_DESCRIPTION AS below FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL ORDER BY TABLE_NAME, PARTITION_ORDINAL_POSITION',
  )
  return rows.map(({ t, name, below }) => ({ table: t, name, below: below === 'MAXVALUE' ? null : Number(below) }))
}

/** The statements that give each month up to three ahead a partition of its own, one for each table that lacks some. */
export function splits(specs: readonly TableSpec[], partitions: readonly Partition[], now: number): string[] {
  return specs.flatMap((spec) => {
    if (spec.partition === undefined) return []
    const { range } = spec.partition
    const mine = partitions.filter((partition) => partition.table === spec.name)
    const known = Math.max(0, ...mine.map((partition) => partition.below ?? 0))
    const months = monthsAhead(now).filter((month) => boundOf(range, month.endAt) > known)
    if (months.length === 0 || !mine.some((partition) => partition.name === LAST_PARTITION)) return []
    const parts = months.map(({ name, endAt }) => `PARTITION \`${name}\` VALUES LESS THAN (${boundOf(range, endAt)})`)
    return [
      `ALTER TABLE \`${spec.name}\` REORGANIZE PARTITION \`${LAST_PARTITION}\` INTO (${[...parts, `PARTITION \`${LAST_PARTITION}\` VALUES LESS THAN MAXVALUE`].join(', ')})`,
    ]
  })
}

/** Partitions of months that ended before the one of `now` began: they may be dropped once they are empty. */
export function pastPartitions(specs: readonly TableSpec[], partitions: readonly Partition[], now: number): Partition[] {
  const ranges = new Map(specs.flatMap((spec) => (spec.partition === undefined ? [] : [[spec.name, spec.partition.range] as const])))
  return partitions.filter(({ table, below }) => {
    const range = ranges.get(table)
    return range !== undefined && below !== null && below <= boundOf(range, monthOf(now).beginAt)
  })
}

interface Month {
  readonly name: string
  readonly beginAt: number
  readonly endAt: number
}

function monthsAhead(now: number): Month[] {
  const { beginAt } = monthOf(now)
  const date = new Date(beginAt)
  return Array.from({ length: MONTHS_AHEAD + 1 }, (_, index) => monthOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + index, 1)))
}

function monthOf(at: number): Month {
  const date = new Date(Math.max(at, ID_EPOCH_MS))
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return { name: `m${year}_${String(month + 1).padStart(2, '0')}`, beginAt: Date.UTC(year, month, 1), endAt: Date.UTC(year, month + 1, 1) }
}

function boundOf(range: 'id' | 'instant', at: number): number {
  return range === 'id' ? floorOfInstant(at) : at
}
