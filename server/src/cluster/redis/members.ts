import type { Members, NodeBeat } from '../members.ts'
import type { Connection } from './connection.ts'
import { script } from './script.ts'

/*
 * Says that a node lives.
 * KEYS    1 the nodes: a hash of run id to "<end of its beat, ms of Redis's clock> <what it tells, JSON>"
 * ARGV    1 its run id; 2 what it tells; 3 how long that holds from now, ms
 * answer  nothing
 * leaves  the other nodes; the hash itself ends with the beat that ends last
 */
const BEAT = script(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + tonumber(ARGV[3])) .. ' ' .. ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end`)

/*
 * The nodes whose beat has not ended; the others are forgotten.
 * KEYS    1 the nodes
 * answer  what each tells, JSON, in any order
 */
const ALIVE = script(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local nodes = redis.call('HGETALL', KEYS[1])
local alive = {}
for at = 1, #nodes, 2 do
  local until_, told = string.match(nodes[at + 1], '^(%d+) (.*)$')
  if until_ and tonumber(until_) > now then
    alive[#alive + 1] = told
  else
    redis.call('HDEL', KEYS[1], nodes[at])
  end
end
return alive`)

/** The nodes in Redis: one hash, `<prefix>:members`, kept by Redis's clock. */
export class RedisMembers implements Members {
  readonly #connection: Connection
  readonly #key: string
  #count = 1

  constructor(connection: Connection, prefix: string) {
    this.#connection = connection
    this.#key = `${prefix}:members`
  }

  /** How many there were when they were last asked for; at least 1. */
  get lastCount(): number {
    return this.#count
  }

  async beat(node: NodeBeat, ttlMs: number): Promise<void> {
    await this.#connection.run(BEAT, [this.#key], [node.runId, JSON.stringify(node), ttlMs])
  }

  /** While Redis is away nothing is done: the beat ends by itself. */
  async leave(runId: number): Promise<void> {
    await this.#connection.ask(async (client) => client.hdel(this.#key, String(runId))).catch(() => undefined)
  }

  async alive(): Promise<readonly NodeBeat[]> {
    const told = await this.#connection.run(ALIVE, [this.#key], [])
    const nodes = Array.isArray(told) ? told.flatMap((text) => beatOf(String(text)) ?? []) : []
    this.#count = Math.max(1, nodes.length)
    return nodes.sort((a, b) => a.runId - b.runId)
  }
}

/** null: another program wrote it. */
function beatOf(text: string): NodeBeat | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return null
    const { runId, name, url, isWatching }: Partial<Record<keyof NodeBeat, unknown>> = value
    const isBeat = Number.isSafeInteger(runId) && typeof name === 'string' && typeof url === 'string' && typeof isWatching === 'boolean'
    return isBeat ? { runId: Number(runId), name, url, isWatching } : null
  } catch {
    return null
  }
}
