/**
 * Where this server calls executors that registered an address. An address comes from whoever has an executor's token, and this server stands where that
 * caller may not: so what an executor never is (the metadata service of a cloud, above all) is not called, and an operator may narrow it to their networks.
 * A name is looked up for each connection and what it leads to is judged there and then, so that one that changes its mind gains nothing.
 */
import { lookup as lookupName, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { promisify } from 'node:util'
import { LOOPBACK_NETWORKS, METADATA_NETWORKS, isInNetworks, parseAddress, parseNetworks, type Network } from '@tickwheel/core'

const lookupAll = promisify(lookupName)

/** Whose networks they are: how the setting is called, and what is called in them. */
export interface NetworksSetting {
  readonly key: string
  readonly what: string
}
export const EXECUTOR_NETWORKS: NetworksSetting = {
  key: 'executor.networks (TICKWHEEL_EXECUTOR_NETWORKS)',
  what: 'executors are called',
}
/** Channels of alarms are called by the same rule: their addresses come from whoever may edit alarms of one group. */
export const ALARM_NETWORKS: NetworksSetting = { key: 'alarm.networks (TICKWHEEL_ALARM_NETWORKS)', what: 'alarms are sent to' }

/** A part of a list of networks that is none. */
export class BadNetwork extends Error {
  constructor(part: string, { key }: NetworksSetting) {
    super(`${key} must be networks or addresses joined by commas, like 10.0.0.0/8,192.168.1.7,fd00::/8: ${JSON.stringify(part)} is none.`)
    this.name = 'BadNetwork'
  }
}

export interface NetworksOptions {
  /** as in the settings; empty: everywhere but where no executor is */
  readonly listed: string
  /** whether executors of this machine may register, where `listed` is empty: the server itself listens on loopback only */
  readonly isLoopbackOpen: boolean
  readonly setting?: NetworksSetting
}

export class Networks {
  /** Nothing is refused: for tests of what does not concern networks. */
  static readonly everywhere = new Networks({ listed: '0.0.0.0/0,::/0', isLoopbackOpen: true })

  readonly #list: readonly Network[]
  /** the list says who is called; otherwise who is not */
  readonly #isAllowList: boolean
  readonly #setting: NetworksSetting

  /** Throws `BadNetwork`. */
  constructor({ listed, isLoopbackOpen, setting = EXECUTOR_NETWORKS }: NetworksOptions) {
    this.#setting = setting
    this.#isAllowList = /[^,\s]/.test(listed)
    const refused = [...METADATA_NETWORKS, ...(isLoopbackOpen ? [] : LOOPBACK_NETWORKS)].join(',')
    const list = parseNetworks(this.#isAllowList ? listed : refused)
    if (list.kind === 'bad') throw new BadNetwork(list.part, setting)
    this.#list = list.networks
  }

  allows(address: string): boolean {
    const parsed = parseAddress(address)
    return parsed !== null && isInNetworks(parsed, this.#list) === this.#isAllowList
  }

  /** Why a URL is not called, as far as it says so itself; null: it may be, or it has a name, which `lookup` judges. */
  refusalOf(url: URL): string | null {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    return isIP(host) === 0 || this.allows(host) ? null : this.#wordsOf(host, host)
  }

  /** The same with the name looked up now. A name that leads nowhere is not refused: it may tomorrow. */
  async refusalNow(url: URL): Promise<string | null> {
    if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return this.refusalOf(url)
    const found = await lookupAll(url.hostname, { all: true }).catch((): LookupAddress[] => [])
    const refused = found.find(({ address }) => !this.allows(address))
    return refused === undefined || found.some(({ address }) => this.allows(address)) ? null : this.#wordsOf(url.hostname, refused.address)
  }

  /** For connections: what a name leads to, without what is not called. An address is not asked for here: see `refusalOf`. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    lookupName(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '')
      const allowed = found.filter(({ address }) => this.allows(address))
      const [first] = allowed
      if (first === undefined) return callback(new Error(this.#wordsOf(host, found[0]?.address ?? '')), '')
      if (options.all === true) return callback(null, allowed)
      callback(null, first.address, first.family)
    })
  }

  #wordsOf(host: string, address: string): string {
    const what = host === address ? address : `${host} (${address})`
    return `${what} is not in a network where ${this.#setting.what}: put its network into ${this.#setting.key}`
  }
}
