import type { TaskDefinition } from '@tickwheel/contract'
import type { Database } from '../store/database.ts'
import { readDefinitions, type VersionKey } from '../store/definitions.ts'
import { namesOfGroups } from '../store/groups.ts'

const MAX_BYTES = 128 * 1024 * 1024
const GROUP_NAMES_KEPT_MS = 60_000

/**
 * Definitions of task versions at hand, so that firing and dispatching read nothing. A version never changes, so an entry is never stale. Bounded: above
 * 128 MiB of text the least recently used go.
 */
export class Definitions {
  readonly #db: Database
  readonly #kept = new Map<string, { definition: TaskDefinition | null; bytes: number }>()
  #bytes = 0
  readonly #groups = new Map<number, string>()
  #groupsReadAt = -Infinity

  constructor(db: Database) {
    this.#db = db
  }

  /** `undefined`: not at hand, `load` first; `null`: missing or damaged in the store. */
  peek(taskId: number, version: number): TaskDefinition | null | undefined {
    const key = `${taskId}:${version}`
    const entry = this.#kept.get(key)
    if (entry === undefined) return undefined
    this.#kept.delete(key)
    this.#kept.set(key, entry)
    return entry.definition
  }

  /** Brings versions to hand, in one read. */
  async load(keys: readonly VersionKey[]): Promise<void> {
    const missing = [...new Map(keys.map((key) => [`${key.taskId}:${key.version}`, key])).values()].filter(
      (key) => !this.#kept.has(`${key.taskId}:${key.version}`),
    )
    if (missing.length === 0) return
    for (const { taskId, version, definition, bytes } of await readDefinitions(this.#db, missing)) {
      this.#kept.set(`${taskId}:${version}`, { definition, bytes })
      this.#bytes += bytes
    }
    this.#shrink()
  }

  /** The name of a group as of at most a minute ago; empty when it is gone. */
  async groupName(groupId: number, monotonic: number): Promise<string> {
    if (monotonic - this.#groupsReadAt > GROUP_NAMES_KEPT_MS) {
      this.#groups.clear()
      this.#groupsReadAt = monotonic
    }
    const known = this.#groups.get(groupId)
    if (known !== undefined) return known
    const name = (await this.#db.read((tx) => namesOfGroups(tx, [groupId]))).get(groupId) ?? ''
    this.#groups.set(groupId, name)
    return name
  }

  #shrink(): void {
    for (const [key, entry] of this.#kept) {
      if (this.#bytes <= MAX_BYTES) return
      this.#kept.delete(key)
      this.#bytes -= entry.bytes
    }
  }
}
