import { createHash } from 'node:crypto'
import type { Dashboard } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import type { SignedCache } from './auth/signed-cache.ts'
import type { Bus } from './cluster/bus.ts'
import type { Events } from './engine/events.ts'
import type { Database } from './store/database.ts'
import { readExecutorList, type ExecutorList, type ExecutorListQuery } from './store/executor-views.ts'
import { readGroupSums, type GroupSums } from './store/groups.ts'

/** How old an answer may be that another node read. */
const KEPT_MS = 1000
/** of what is in the shared cache */
const SHAPE = 1

export interface CachedReadsParts {
  readonly db: Database
  readonly cache: SignedCache
  readonly events: Events
  readonly bus: Bus
  readonly monotonic: () => number
}

/**
 * Reads that every open console makes over and over, shared by all nodes for a second: the dashboard, the rows of executors in lists, and the sums of groups.
 *
 * After a change that this node makes, or hears of, it leaves the cache alone for that second. Whatever was read before the change has then ended, since
 * a value is kept for a second from when its reading began. So a person sees their own change at once, and that of another node within a second.
 */
export class CachedReads {
  readonly #parts: CachedReadsParts
  readonly #running = new Map<string, Promise<object>>()
  readonly #stopHearing: readonly (() => void)[]
  #quietUntil = -Infinity

  constructor(parts: CachedReadsParts) {
    this.#parts = parts
    this.#stopHearing = [
      parts.events.listen((events) => {
        if (events.some((event) => event.kind === 'taskChanged')) this.changed()
      }),
      parts.bus.listen('all', (message) => {
        if (message.kind === 'executors') this.changed()
      }),
    ]
  }

  stop(): void {
    for (const stop of this.#stopHearing) stop()
  }

  /** What was read until now may be old. */
  changed(): void {
    this.#quietUntil = this.#parts.monotonic() + KEPT_MS
    this.#running.clear()
  }

  async executorList(scope: Scope, listed: ExecutorListQuery): Promise<ExecutorList> {
    return this.#read(`executors ${JSON.stringify([scope, listed])}`, () => readExecutorList(this.#parts.db, scope, listed))
  }

  async groupSums(groupIds: readonly number[]): Promise<GroupSums> {
    return this.#read(`groups ${groupIds.join(' ')}`, () => this.#parts.db.read((tx) => readGroupSums(tx, groupIds)))
  }

  /** `scopes`: what the caller may see of what, which is part of what is kept. */
  async dashboard(scopes: object, asked: object, load: () => Promise<Dashboard>): Promise<Dashboard> {
    return this.#read(`dashboard ${JSON.stringify([scopes, asked])}`, load)
  }

  async #read<Value extends object>(what: string, load: () => Promise<Value>): Promise<Value> {
    const key = `read:${SHAPE}:${createHash('sha256').update(what).digest('base64url')}`
    const running = this.#running.get(key)
    // Safe: a key is made of what is read, which says the kind of the answer.
    if (running !== undefined) return running as Promise<Value>
    const reading = this.#readOnce(key, load).finally(() => {
      if (this.#running.get(key) === reading) this.#running.delete(key)
    })
    this.#running.set(key, reading)
    return reading
  }

  async #readOnce<Value extends object>(key: string, load: () => Promise<Value>): Promise<Value> {
    const { cache, monotonic } = this.#parts
    const startedAt = monotonic()
    const kept = startedAt < this.#quietUntil ? null : await cache.get<Value>(key)
    if (kept !== null) return kept
    const readAt = monotonic()
    const value = await load()
    const leftMs = Math.floor(readAt + KEPT_MS - monotonic())
    if (leftMs > 0) await cache.put(key, value, leftMs)
    return value
  }
}
