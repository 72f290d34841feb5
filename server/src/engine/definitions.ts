import type { Database } from '../store/database.ts'
import { readDefinitions, type VersionKey } from '../store/definitions.ts'
import { namesOfGroups } from '../store/groups.ts'
import { resolveDefinition, type DefinitionKeys } from '../store/step-definition.ts'
import type { RunDefinition } from '../store/workflow-definition.ts'

const MAX_BYTES = 128 * 1024 * 1024
const GROUP_NAMES_KEPT_MS = 60_000
/** definitions of steps, made of two versions; above these the oldest go */
const STEPS_KEPT = 5000

/**
 * Definitions of task versions at hand, so that firing and dispatching read nothing. A version never changes, so an entry is never stale. Bounded: above
 * 128 MiB of text the least recently used go.
 */
export class Definitions {
  readonly #db: Database
  readonly #kept = new Map<string, { definition: RunDefinition | null; bytes: number }>()
  readonly #steps = new Map<string, RunDefinition | null>()
  #bytes = 0
  readonly #groups = new Map<number, string>()
  #groupsReadAt = -Infinity

  constructor(db: Database) {
    this.#db = db
  }

  /** `undefined`: not at hand, `load` first; `null`: missing or damaged in the store. */
  peek(taskId: number, version: number): RunDefinition | null | undefined {
    const key = `${taskId}:${version}`
    const entry = this.#kept.get(key)
    if (entry === undefined) return undefined
    this.#kept.delete(key)
    this.#kept.set(key, entry)
    return entry.definition
  }

  /** What a run does: the version of its task, or what a step of a workflow makes of it. As `peek`. */
  peekOf(run: DefinitionKeys): RunDefinition | null | undefined {
    if (run.stepNo === null || run.workflowId === null || run.workflowVersion === null) return this.peek(run.taskId, run.taskVersion)
    const key = `${run.taskId}:${run.taskVersion}:${run.workflowId}:${run.workflowVersion}:${run.stepNo}`
    const known = this.#steps.get(key)
    if (known !== undefined) return known
    const own = this.peek(run.taskId, run.taskVersion)
    const workflow = this.peek(run.workflowId, run.workflowVersion)
    if (own === undefined || workflow === undefined) return undefined
    const definition = resolveDefinition(run, own, workflow)
    this.#steps.set(key, definition)
    const [oldest] = this.#steps.keys()
    if (this.#steps.size > STEPS_KEPT && oldest !== undefined) this.#steps.delete(oldest)
    return definition
  }

  /** Brings what runs do to hand, in one read. */
  async loadOf(runs: readonly DefinitionKeys[]): Promise<void> {
    await this.load(
      runs.flatMap(({ taskId, taskVersion, workflowId, workflowVersion }) => [
        { taskId, version: taskVersion },
        ...(workflowId === null || workflowVersion === null ? [] : [{ taskId: workflowId, version: workflowVersion }]),
      ]),
    )
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
