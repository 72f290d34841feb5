import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { parseMysqlUrl } from './dialect/mysql-url.ts'

type Row = Readonly<Record<string, string | number | null>>

/** The two tables of an XXL-JOB database that say what runs where. Reads, and changes nothing. Throws when it cannot be reached or has no such tables. */
export async function readXxlTables(url: string): Promise<{ groups: Row[]; jobs: Row[] }> {
  const { database, ...address } = parseMysqlUrl(url)
  const connection = await createConnection({ ...address, database, connectTimeout: 5000, dateStrings: true, supportBigNumbers: true })
  try {
    const [groups] = await connection.query<RowDataPacket[]>('SELECT * FROM xxl_job_group ORDER BY id')
    const [jobs] = await connection.query<RowDataPacket[]>('SELECT * FROM xxl_job_info ORDER BY id')
    return { groups: groups.map(rowOf), jobs: jobs.map(rowOf) }
  } finally {
    await connection.end()
  }
}

function rowOf(packet: RowDataPacket): Row {
  return Object.fromEntries(
    Object.entries(packet).map(([column, value]) => [column, typeof value === 'number' || value === null ? value : String(value)]),
  )
}
