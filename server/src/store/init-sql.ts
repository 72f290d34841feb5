import type { Value } from './database.ts'
import { renderMysql } from './dialect/mysql-schema.ts'
import { firstRows, SCHEMA_LEVEL, tablesOf } from './migrate.ts'

const DATABASE = 'tickwheel'

/**
 * `sql/init.sql`: what the migrations make on MySQL and MariaDB, for people who make the tables themselves. Harmless when loaded again. A server that
 * starts on it applies nothing; it only cuts the partitions into months.
 */
export function renderInitSql(): string {
  const statements = [
    `CREATE DATABASE IF NOT EXISTS \`${DATABASE}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    `USE \`${DATABASE}\``,
    ...tablesOf({ keepsLogs: true }).flatMap(renderMysql),
    ...Object.entries(firstRows).map(([table, rows]) => insert(table, rows)),
  ]
  return [...HEAD, ...statements.map((statement) => `\n${statement};`)].join('\n') + '\n'
}

const HEAD = [
  '-- The tables of Tickwheel on MySQL 8 and MariaDB 10.11: mysql -u root -p < sql/init.sql',
  '-- Tickwheel 在 MySQL 8 / MariaDB 10.11 上的建库建表脚本，可重复执行。',
  '--',
  '-- Not needed: a server whose account may create tables makes them by itself. Then give an account the database and start:',
  "--   CREATE USER 'tickwheel'@'%' IDENTIFIED BY '…'; GRANT ALL ON tickwheel.* TO 'tickwheel'@'%';",
  '--   TICKWHEEL_DATABASE_URL=mysql://tickwheel:…@127.0.0.1:3306/tickwheel npm start',
  '-- innodb_flush_log_at_trx_commit must be 1 (the default): what is acknowledged must be durable.',
  '-- Partitions are cut into months by the server, three ahead; empty months that are over are dropped.',
  `-- Schema level ${SCHEMA_LEVEL}. Generated from server/src/store/migrations by scripts/make-init-sql.ts; a test fails when it is stale.`,
]

function insert(table: string, rows: readonly Readonly<Record<string, Value>>[]): string {
  const columns = Object.keys(rows[0] ?? {})
  const tuples = rows.map((row) => `(${columns.map((column) => literal(row[column] ?? null)).join(', ')})`)
  return `INSERT IGNORE INTO \`${table}\` (${columns.map((column) => `\`${column}\``).join(', ')}) VALUES\n  ${tuples.join(',\n  ')}`
}

/** Only what the first rows hold: numbers, nothing, and words without quotes. */
function literal(value: Value): string {
  if (value === null) return 'NULL'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string' && /^\w*$/.test(value)) return `'${value}'`
  throw new TypeError(`no first row holds ${String(value)}`)
}
