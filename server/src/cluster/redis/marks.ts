import type { Marks } from '../marks.ts'
import type { Connection } from './connection.ts'
import { script } from './script.ts'

/*
 * Raises a mark; it never falls.
 * KEYS    1 the mark
 * ARGV    1 a whole number up to 2^53 - 1, in decimal digits
 * answer  the mark, in decimal digits: a number of Lua would lose its last ones on the way into text
 * leaves  a mark that is as high or higher; no mark ends by itself
 */
const RAISE = script(`
local mark = redis.call('GET', KEYS[1]) or '0'
if tonumber(ARGV[1]) <= tonumber(mark) then return mark end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]`)

/** Marks in Redis: `<prefix>:mark:<name>`, without an end. */
export class RedisMarks implements Marks {
  readonly #connection: Connection
  readonly #prefix: string

  constructor(connection: Connection, prefix: string) {
    this.#connection = connection
    this.#prefix = `${prefix}:mark:`
  }

  async raise(name: string, value: number): Promise<number> {
    return Number(await this.#connection.run(RAISE, [this.#prefix + name], [value]))
  }

  async read(name: string): Promise<number> {
    return Number(await this.#connection.ask(async (client) => client.get(this.#prefix + name)))
  }
}
