/** Executors that registered with an app name that no group has. */
export interface UnclaimedApp {
  readonly appName: string
  readonly addresses: readonly string[]
  readonly seenAt: number
}

const APPS = 100
const ADDRESSES = 20

/** The newest of them; who is not heard of again leaves it after a while, because others push it out. */
export class Unclaimed {
  readonly #apps = new Map<string, { addresses: Set<string>; seenAt: number }>()

  get all(): UnclaimedApp[] {
    return [...this.#apps].map(([appName, { addresses, seenAt }]) => ({ appName, addresses: [...addresses], seenAt }))
  }

  /** True: it was not known. */
  note(appName: string, address: string, at: number): boolean {
    const known = this.#apps.get(appName)
    const addresses = known?.addresses ?? new Set<string>()
    if (addresses.size < ADDRESSES) addresses.add(address)
    this.#apps.delete(appName)
    this.#apps.set(appName, { addresses, seenAt: at })
    const [oldest] = this.#apps.keys()
    if (this.#apps.size > APPS && oldest !== undefined) this.#apps.delete(oldest)
    return known === undefined
  }

  forget(appName: string): void {
    this.#apps.delete(appName)
  }
}
