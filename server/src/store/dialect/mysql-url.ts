/** Where a MySQL or MariaDB server is, and who asks. */
export interface MysqlAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** Whether a text means to name such a server, right or wrong. */
export function isMysqlUrl(url: string): boolean {
  return /^(mysql|mariadb):/i.test(url)
}

/** Throws when the text is no such URL; the message does not hold it, because it may hold a password. */
export function parseMysqlUrl(url: string): MysqlAddress {
  const parsed = URL.canParse(url) ? new URL(url) : null
  const database = decodeURIComponent(parsed?.pathname.slice(1) ?? '')
  if (
    parsed === null ||
    !/^(mysql|mariadb):$/.test(parsed.protocol) ||
    parsed.hostname === '' ||
    parsed.username === '' ||
    !/^[^/]+$/.test(database)
  ) {
    throw new Error('not of the form mysql://user:password@host:port/database')
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 3306 : Number(parsed.port),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database,
  }
}
