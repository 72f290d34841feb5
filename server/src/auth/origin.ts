import type { IncomingHttpHeaders } from 'node:http'
import { callerKey, isInNetworks, parseAddress, parseNetworks, type Network } from '@tickwheel/core'
import type { Origin } from './sessions.ts'

const FORWARDING = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via']
/** Of a chain of proxies at most so many hops are looked at. */
const HOPS_MAX = 32

/** What is looked at of a call. `address`: of the other end of the connection. */
export interface Arrival {
  readonly headers: IncomingHttpHeaders
  readonly address: string
  readonly requestId: string
}

export interface OriginsOptions {
  /** the server listens beyond loopback */
  readonly isExposed: boolean
  /** `http.trustedProxies`: networks and addresses, joined by commas */
  readonly trustedProxies: string
  /** `http.origins`: where else than at this server's own address the console is, joined by commas */
  readonly origins: string
}

/**
 * Where calls come from. Headers of proxies are believed of those that the settings name, and of nobody else: anyone can write `X-Forwarded-For`. Of
 * others they tell one thing only, that a proxy stands between, which makes the server careful (`isExposed`).
 */
export class Origins {
  readonly #isExposed: boolean
  readonly #proxies: readonly Network[]
  readonly #origins: ReadonlySet<string>

  /** Throws an Error that names the setting when a part of it is none. */
  constructor({ isExposed, trustedProxies, origins }: OriginsOptions) {
    this.#isExposed = isExposed
    this.#proxies = proxiesOf(trustedProxies)
    this.#origins = originsOf(origins)
  }

  of(arrival: Arrival): Origin {
    const { headers, requestId } = arrival
    const isProxied = FORWARDING.some((header) => headers[header] !== undefined) || !isLoopbackHost(hostNameOf(headers.host ?? ''))
    return { ip: this.#addressOf(arrival), requestId, isExposed: this.#isExposed || isProxied }
  }

  /** Whether the caller's own connection is one of TLS, as a trusted proxy says. */
  isHttps({ headers, address }: Arrival): boolean {
    return this.#isTrusted(address) && lastOf(headers['x-forwarded-proto']).toLowerCase() === 'https'
  }

  /**
   * Whether the page that a WebSocket is opened from is this server's own, or one that the settings name. Programs that are no browser send no `Origin`.
   * No cookie is ever looked at, so that another page could open nothing with it; that it is told so is a second bolt.
   */
  isOwnPage({ headers, address }: Arrival): boolean {
    const { origin, host = '' } = headers
    if (origin === undefined) return true
    if (!URL.canParse(origin)) return false
    const page = new URL(origin)
    const forwarded = this.#isTrusted(address) ? lastOf(headers['x-forwarded-host']) : ''
    return this.#origins.has(page.origin) || [host, forwarded].some((own) => own !== '' && bare(own) === bare(page.host))
  }

  /** The last hop that is not one of our proxies: those before it may be invented. */
  #addressOf({ headers, address }: Arrival): string {
    const forwarded = headers['x-forwarded-for']
    let known = plain(address)
    if (forwarded === undefined || this.#proxies.length === 0) return known
    const hops = String(forwarded).split(',')
    for (const hop of hops.slice(-HOPS_MAX).reverse()) {
      if (!this.#isTrusted(known)) return known
      const before = withoutPort(hop.trim())
      if (parseAddress(before) === null) return known
      known = plain(before)
    }
    return known
  }

  #isTrusted(text: string): boolean {
    if (this.#proxies.length === 0) return false
    const address = parseAddress(text)
    return address !== null && isInNetworks(address, this.#proxies)
  }
}

/** Whether a host name or address can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

function proxiesOf(listed: string): readonly Network[] {
  const list = parseNetworks(listed)
  if (list.kind === 'networks') return list.networks
  throw new Error(
    `http.trustedProxies (TICKWHEEL_HTTP_TRUSTED_PROXIES) must be networks or addresses joined by commas, like 10.0.0.0/8,127.0.0.1: ${JSON.stringify(list.part)} is none.`,
  )
}

function originsOf(listed: string): ReadonlySet<string> {
  const parts = listed.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
  const wrong = parts.find((part) => !/^https?:\/\/[^/]+\/?$/i.test(part) || !URL.canParse(part))
  if (wrong !== undefined)
    throw new Error(
      `http.origins (TICKWHEEL_HTTP_ORIGINS) must be addresses of pages joined by commas, like https://tasks.example.com: ${JSON.stringify(wrong)} is none.`,
    )
  return new Set(parts.map((part) => new URL(part).origin))
}

/** IPv4 inside IPv6 as IPv4, so that one caller has one name in the audit log. */
function plain(address: string): string {
  return /^::ffff:/i.test(address) ? callerKey(address) : address
}

/** Some proxies add the port: `192.0.2.7:4711`, `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  return /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(hop)?.[1] ?? hop
}

/** What the nearest proxy wrote: each adds its own at the end. */
function lastOf(header: string | readonly string[] | undefined): string {
  const text = String(header ?? '')
  return text.slice(text.lastIndexOf(',') + 1).trim()
}

/** A host without the port that its scheme has anyway. */
function bare(host: string): string {
  return host.toLowerCase().replace(/:(?:80|443)$/, '')
}

function hostNameOf(host: string): string {
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : (host.split(':')[0] ?? '').toLowerCase()
}
