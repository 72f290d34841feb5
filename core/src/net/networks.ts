/** An IP address as a number. IPv4 inside IPv6 (`::ffff:10.0.0.1`) is IPv4: it leads to the same machine. */
export interface Address {
  readonly version: 4 | 6
  readonly value: bigint
}

/** Addresses that agree in their first `length` bits. */
export interface Network extends Address {
  readonly length: number
}

/** What a list of networks means, or the first part of it that is none. */
export type NetworkList =
  { readonly kind: 'networks'; readonly networks: readonly Network[] } | { readonly kind: 'bad'; readonly part: string }

const BITS = { 4: 32, 6: 128 } as const
/** The longest text of an address, with room for a zone (`fe80::1%eth0`). */
const LONGEST_TEXT = 64

/** This machine. */
export const LOOPBACK_NETWORKS: readonly string[] = ['127.0.0.0/8', '::1/128', '64:ff9b::7f00:0/104']

/**
 * Where no service of an operator is, and where clouds tell a machine its secrets: "this host", link-local and multicast networks, and the metadata
 * addresses of Alibaba, AWS, Oracle and Azure (those of the others are link-local). With `64:ff9b::/96` the same behind a translator (RFC 6052).
 */
export const METADATA_NETWORKS: readonly string[] = [
  '169.254.0.0/16',
  'fe80::/10',
  '64:ff9b::a9fe:0/112',
  '0.0.0.0/8',
  '::/128',
  '224.0.0.0/4',
  'ff00::/8',
  '255.255.255.255/32',
  '100.100.100.200/32',
  'fd00:ec2::254/128',
  '192.0.0.192/32',
  '168.63.129.16/32',
]

/** Networks that are reached from inside only (RFC 1918, 4193, 6598), and what is reserved and leads to one of them (RFC 6890). */
export const PRIVATE_NETWORKS: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '192.0.0.0/24',
  '198.18.0.0/15',
  '240.0.0.0/4',
  'fc00::/7',
  'fec0::/10',
  '64:ff9b::a00:0/104',
  '64:ff9b::ac10:0/108',
  '64:ff9b::c0a8:0/112',
  '64:ff9b:1::/48',
  '2002::/16',
]

/** The address that a text is; null: it is none. A zone (`%eth0`) is left out. */
export function parseAddress(text: string): Address | null {
  if (text.length > LONGEST_TEXT) return null
  if (!text.includes(':')) return version4(parseQuad(text))
  const value = parseGroups(text.split('%', 1)[0] ?? '')
  if (value === null) return null
  return value >> 32n === 0xffffn ? { version: 4, value: value & 0xffff_ffffn } : { version: 6, value }
}

/** The network that a text like `10.0.0.0/8` is, or an address alone; null: it is none. */
export function parseNetwork(text: string): Network | null {
  const [address = '', length, ...rest] = text.split('/')
  const parsed = parseAddress(address)
  if (parsed === null || rest.length > 0) return null
  const bits = BITS[parsed.version]
  if (length === undefined) return { ...parsed, length: bits }
  return /^\d{1,3}$/.test(length) && Number(length) <= bits ? { ...parsed, length: Number(length) } : null
}

/** Networks and addresses joined by commas; blanks around them do not count. */
export function parseNetworks(listed: string): NetworkList {
  const parts = listed.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
  const networks: Network[] = []
  for (const part of parts) {
    const network = parseNetwork(part)
    if (network === null) return { kind: 'bad', part }
    networks.push(network)
  }
  return { kind: 'networks', networks }
}

/** Whether an address lies in one of the networks. */
export function isInNetworks(address: Address, networks: readonly Network[]): boolean {
  return networks.some(({ version, value, length }) => {
    const rest = BigInt(BITS[version] - length)
    return version === address.version && value >> rest === address.value >> rest
  })
}

/** Whether a text is the name of a host, or `*.` and a name for all below it. What looks like an address and is none is a slip, not a name. */
export function isHostPattern(text: string): boolean {
  const labels = text.replace(/^\*\./, '').split('.')
  return text.length <= 253 && labels.every((label) => /^[a-z0-9_-]{1,63}$/i.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '')
}

/**
 * What limits by address count as one caller: an IPv4 address; the first 64 bits of an IPv6 address, as whoever has one address of a network has all of
 * them. A text that is no address is its own.
 */
export function callerKey(text: string): string {
  const address = parseAddress(text)
  if (address === null) return text.slice(0, LONGEST_TEXT)
  if (address.version === 6) return `${(address.value >> 64n).toString(16)}::/64`
  return [24n, 16n, 8n, 0n].map((shift) => String((address.value >> shift) & 0xffn)).join('.')
}

function version4(value: bigint | null): Address | null {
  return value === null ? null : { version: 4, value }
}

function parseQuad(text: string): bigint | null {
  const parts = text.split('.')
  // Leading zeros are octal to some programs and decimal to others: nobody may mean both.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function parseGroups(text: string): bigint | null {
  const [head = '', tail, ...rest] = text.split('::')
  if (rest.length > 0) return null
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  if (before === null || after === null) return null
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after]
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n)
}

/** The groups of 16 bits of a part of an address; its last two may stand as an IPv4 address. */
function groupsOf(text: string): number[] | null {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const quad = last.includes('.') ? parseQuad(last) : null
  if (quad !== null) parts.splice(-1, 1, (quad >> 16n).toString(16), (quad & 0xffffn).toString(16))
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part)) ? parts.map((part) => Number.parseInt(part, 16)) : null
}
