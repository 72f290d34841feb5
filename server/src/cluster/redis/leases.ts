import { SLOT_COUNT } from '@tickwheel/core'
import type { Lease, Leases } from '../lease.ts'
import type { Connection } from './connection.ts'
import { script } from './script.ts'

/*
 * Takes leases that are free, and renews those that the caller has.
 * KEYS    leases of slots, any number, under one hash tag
 * ARGV    1 the owner: the run id of a node; 2 how long each lasts from now, ms
 * answer  the places in KEYS, from 1, that are the owner's now
 * leaves  leases of others, and how long they last
 */
const ACQUIRE = script(`
local mine = {}
for place, key in ipairs(KEYS) do
  if redis.call('SET', key, ARGV[1], 'NX', 'PX', ARGV[2]) then
    mine[#mine + 1] = place
  elseif redis.call('GET', key) == ARGV[1] then
    redis.call('PEXPIRE', key, ARGV[2])
    mine[#mine + 1] = place
  end
end
return mine`)

/*
 * Renews leases that are still the owner's.
 * KEYS    leases of slots, any number, under one hash tag
 * ARGV    1 the owner; 2 how long each lasts from now, ms
 * answer  the places in KEYS, from 1, that were renewed
 * leaves  leases that have ended, which are not taken again, and those of others
 */
const RENEW = script(`
local mine = {}
for place, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    redis.call('PEXPIRE', key, ARGV[2])
    mine[#mine + 1] = place
  end
end
return mine`)

/*
 * Ends leases that are the owner's.
 * KEYS    leases of slots, any number, under one hash tag
 * ARGV    1 the owner
 * answer  how many ended
 * leaves  leases of others
 */
const RELEASE = script(`
local ended = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then ended = ended + redis.call('DEL', key) end
end
return ended`)

/*
 * Who has which lease.
 * KEYS    leases of slots, any number, under one hash tag
 * answer  place in KEYS from 1, owner, remaining ms, for each that has not ended, in the order of KEYS
 * leaves  everything
 */
const HOLDERS = script(`
local held = {}
for place, key in ipairs(KEYS) do
  local owner = redis.call('GET', key)
  if owner then
    held[#held + 1] = place
    held[#held + 1] = owner
    held[#held + 1] = redis.call('PTTL', key)
  end
end
return held`)

const EVERY_SLOT = Array.from({ length: SLOT_COUNT }, (_, slot) => slot)

/** Leases of slots in Redis: `{<prefix>:lease}:<slot>` holds the run id of the owner and ends by itself. The tag keeps them on one node, so that a call is one script. */
export class RedisLeases implements Leases {
  readonly #connection: Connection
  readonly #tag: string

  constructor(connection: Connection, prefix: string) {
    this.#connection = connection
    this.#tag = `{${prefix}:lease}`
  }

  async acquire(owner: number, slots: readonly number[], ttlMs: number): Promise<ReadonlySet<number>> {
    return this.#extend(ACQUIRE, slots, [owner, ttlMs])
  }

  async renew(owner: number, slots: readonly number[], ttlMs: number): Promise<ReadonlySet<number>> {
    return this.#extend(RENEW, slots, [owner, ttlMs])
  }

  async release(owner: number, slots: readonly number[]): Promise<void> {
    if (slots.length > 0) await this.#connection.run(RELEASE, this.#keys(slots), [owner])
  }

  async holders(): Promise<readonly Lease[]> {
    const held = numbersOf(await this.#connection.run(HOLDERS, this.#keys(EVERY_SLOT), []))
    return held.flatMap((place, index) => {
      const [owner, remainingMs] = held.slice(index + 1, index + 3)
      return index % 3 === 0 && owner !== undefined && remainingMs !== undefined ? [{ slot: place - 1, owner, remainingMs }] : []
    })
  }

  async #extend(how: typeof ACQUIRE, slots: readonly number[], values: readonly number[]): Promise<ReadonlySet<number>> {
    if (slots.length === 0) return new Set()
    const places = numbersOf(await this.#connection.run(how, this.#keys(slots), values))
    return new Set(places.flatMap((place) => slots[place - 1] ?? []))
  }

  #keys(slots: readonly number[]): string[] {
    return slots.map((slot) => `${this.#tag}:${slot}`)
  }
}

function numbersOf(answer: unknown): number[] {
  return Array.isArray(answer) ? answer.map(Number) : []
}
