const APPS = 100
const ADDRESSES = 20
/** So often it is written that an executor was heard of. */
const WRITTEN_MS = 60_000

/** What became of an executor that registered: `isNew`: its app name was not known; `isDue`: it is time to write that it was heard of. */
export interface Noted {
  readonly isNew: boolean
  readonly isDue: boolean
}

/** Executors that registered with an app name that no group has, as this node heard them: who is not heard of again leaves after a while, because others push it out. */
export class Unclaimed {
  /** by app name and address, when it was written last */
  readonly #apps = new Map<string, Map<string, number>>()

  note(appName: string, address: string, at: number): Noted {
    const known = this.#apps.get(appName)
    const addresses = known ?? new Map<string, number>()
    const isDue = at - (addresses.get(address) ?? -Infinity) >= WRITTEN_MS && (addresses.has(address) || addresses.size < ADDRESSES)
    if (isDue) addresses.set(address, at)
    this.#apps.delete(appName)
    this.#apps.set(appName, addresses)
    const [oldest] = this.#apps.keys()
    if (this.#apps.size > APPS && oldest !== undefined) this.#apps.delete(oldest)
    return { isNew: known === undefined, isDue }
  }

  forget(appName: string, address: string): void {
    this.#apps.get(appName)?.delete(address)
  }
}
