/** Where Redis is, and who asks. */
export interface RedisTarget {
  readonly isCluster: boolean
  /** one; of Redis Cluster those that are asked for the others, at least one */
  readonly nodes: readonly [RedisNode, ...RedisNode[]]
  readonly isTls: boolean
  readonly username: string | null
  readonly password: string | null
  /** the number of the database; Redis Cluster has 0 only */
  readonly db: number
}

export interface RedisNode {
  readonly host: string
  readonly port: number
}

const FORM = 'redis://[[user]:password@]host[:port][/number], rediss:// for TLS, or redis+cluster://host:port,host:port'
const PARTS = /^(rediss?)(\+cluster)?:\/\/(?:(.*)@)?([^@/?#]+)(?:\/(\d{0,4}))?$/i
const NODE = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/i
const PORT = 6379

/**
 * Reads `redis://`, `rediss://`, `redis+cluster://` or `rediss+cluster://`. User and password are written with %XX where they hold `@`, `/` or `%`.
 * Throws an error that says which form was expected and names the address without user and password.
 */
export function parseRedisUrl(url: string): RedisTarget {
  const [, scheme = '', cluster, account, places = '', db = ''] = PARTS.exec(url) ?? []
  const isCluster = cluster !== undefined
  const [first, ...others] = places.split(',').map(nodeOf)
  const isSound = first != null && others.every((node) => node !== null) && (isCluster ? Number(db) === 0 : others.length === 0)
  if (!isSound) throw new Error(`the address of Redis must have the form ${FORM}, not ${withoutAccount(url)}`)
  return {
    isCluster,
    nodes: [first, ...others],
    isTls: scheme.toLowerCase() === 'rediss',
    ...accountOf(account),
    db: Number(db),
  }
}

/** The address as it may be told: without user and password. */
export function withoutAccount(url: string): string {
  return url.replace(/^([a-z+]*:\/\/)?.*@/is, '$1')
}

function nodeOf(text: string): RedisNode | null {
  const [, address, name, port = String(PORT)] = NODE.exec(text) ?? []
  const host = address ?? name
  const isPort = Number(port) > 0 && Number(port) < 65_536
  return host === undefined || !isPort ? null : { host, port: Number(port) }
}

function accountOf(account: string | undefined): Pick<RedisTarget, 'username' | 'password'> {
  if (account === undefined) return { username: null, password: null }
  const colon = account.indexOf(':')
  const username = decode(colon < 0 ? account : account.slice(0, colon))
  const password = colon < 0 ? '' : decode(account.slice(colon + 1))
  return { username: username === '' ? null : username, password: password === '' ? null : password }
}

/** A password that is not well written as %XX is what it says. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
