/**
 * Where HTTP tasks may lead. A task's address is written by whoever may edit tasks, and this process stands where they may not: so the metadata services of
 * clouds, which tell a machine its secrets, are never called unless they are allowed by name or network, and an operator may close everything that is private.
 * What a name leads to is judged for each connection, there and then: a redirect is a connection like any other, and a name that changes its mind gains nothing.
 */
import { lookup as lookupName } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import {
  isHostPattern,
  isInNetworks,
  LOOPBACK_NETWORKS,
  METADATA_NETWORKS,
  parseAddress,
  parseNetwork,
  parseNetworks,
  PRIVATE_NETWORKS,
  type Network,
} from '@tickwheel/core'
import { Agent, buildConnector } from 'undici'

export interface HttpReachOptions {
  /** refuses loopback and private networks, too; default false */
  readonly denyPrivate?: boolean | undefined
  /** what is called all the same: networks, addresses, and host names (`*.example.com`: those below it) */
  readonly allow?: readonly string[] | undefined
}

export class HttpReach {
  readonly #denied: readonly Network[]
  readonly #networks: readonly Network[]
  readonly #hosts: readonly string[]

  /** Throws a TypeError that names the part of `allow` that is none. */
  constructor({ denyPrivate = false, allow = [] }: HttpReachOptions) {
    this.#denied = networksOf([...METADATA_NETWORKS, ...(denyPrivate ? [...LOOPBACK_NETWORKS, ...PRIVATE_NETWORKS] : [])])
    this.#networks = allow.flatMap((part) => parseNetwork(part) ?? [])
    this.#hosts = allow.filter((part) => parseNetwork(part) === null).map(hostOf)
  }

  /** What makes the connections of `fetch`. */
  agent(): Agent {
    const connect = buildConnector({ lookup: this.#lookup })
    return new Agent({
      connect: (options, callback) => {
        const host = options.hostname.replace(/^\[|\]$/g, '')
        // an address is not looked up
        if (isIP(host) !== 0 && !this.#allowsAddress(host)) return callback(new Error(refusal(host)), null)
        return connect(options, callback)
      },
    })
  }

  #allowsAddress(text: string): boolean {
    const address = parseAddress(text)
    return address !== null && (isInNetworks(address, this.#networks) || !isInNetworks(address, this.#denied))
  }

  #allowsHost(host: string): boolean {
    const name = host.toLowerCase().replace(/\.$/, '')
    return this.#hosts.some((allowed) => (allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) : name === allowed))
  }

  readonly #lookup: LookupFunction = (host, options, callback) => {
    lookupName(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '')
      const allowed = this.#allowsHost(host) ? found : found.filter(({ address }) => this.#allowsAddress(address))
      const [first] = allowed
      if (first === undefined) return callback(new Error(refusal(`${host} (${found[0]?.address ?? 'no address'})`)), '')
      if (options.all === true) return callback(null, allowed)
      callback(null, first.address, first.family)
    })
  }
}

function refusal(what: string): string {
  return `${what} is not called by this executor (metadata services of clouds, and private networks where --http-deny-private is given): name its host or network in --http-allow`
}

function networksOf(parts: readonly string[]): readonly Network[] {
  const list = parseNetworks(parts.join(','))
  return list.kind === 'networks' ? list.networks : []
}

function hostOf(part: string): string {
  if (isHostPattern(part)) return part.toLowerCase()
  throw new TypeError(
    `http.allow: expected networks, addresses or host names, like 10.0.0.0/8 or *.example.com, got ${JSON.stringify(part)}`,
  )
}
