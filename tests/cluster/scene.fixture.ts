/** What the tests of many nodes share: a world of real processes for each test, who owns which slot, and a ledger that must be exact. */
import type { ClusterView, Task, TaskCreate } from '@tickwheel/contract'
import { expect, onTestFinished } from 'vitest'
import { ApiClient } from '../kit/api-client.ts'
import type { ClusterNode } from '../kit/cluster.ts'
import { MariaDb, mariaDbMissing } from '../kit/mariadb.ts'
import { redisMissing } from '../kit/redis.ts'
import { homeGroup } from '../kit/runs.ts'
import { waitFor } from '../kit/wait-for.ts'
import { check } from '../torture/check.ts'
import type { SlotRow } from '../torture/ledger.ts'
import { WORK, type Work } from '../torture/tasks.ts'
import { World } from '../torture/world.ts'

/** Why there can be no cluster on this machine, in one line; null: there can. */
export const clusterMissing = mariaDbMissing() ?? redisMissing()

/** One MariaDB for the tests of a file, which each take a database. */
export async function startMariaDb(): Promise<MariaDb | null> {
  if (clusterMissing === null) return MariaDb.start({ durable: true })
  process.stderr.write(`${clusterMissing}\n`)
  return null
}

export interface SceneOptions {
  readonly mariaDb: MariaDb | null
  readonly nodes?: readonly string[]
  readonly executors?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** of one node alone, by its name */
  readonly envOf?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** the nodes that are to own slots; default: all */
  readonly owners?: readonly string[]
}

/** However slow this machine is, an executor that looks for another node is not given up meanwhile. */
const PATIENT = { TICKWHEEL_EXECUTOR_HEARTBEAT_MS: '1000', TICKWHEEL_EXECUTOR_DEAD_MS: '120000' }
const SLOTS = 256
let worlds = 0

/** A cluster that runs, with the slots shared out; ends with the running test. */
export class Scene {
  readonly world: World
  readonly admin: ApiClient
  readonly #tasks: Task[] = []

  private constructor(world: World, admin: ApiClient) {
    this.world = world
    this.admin = admin
  }

  static async begin({
    mariaDb,
    nodes = ['a', 'b'],
    executors = ['x'],
    env = {},
    envOf = {},
    owners = nodes,
  }: SceneOptions): Promise<Scene> {
    if (mariaDb === null) throw new Error('there is no MariaDB on this machine')
    worlds += 1
    const world = await World.make({
      nodeNames: nodes,
      executorNames: executors,
      env: { ...PATIENT, ...env },
      mariaDb,
      database: `w${String(worlds)}`,
    })
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'fail') process.stderr.write(world.outputs())
      await world.end()
    })
    const scene = new Scene(world, await world.begin(envOf))
    await scene.shared(owners)
    return scene
  }

  node(name: string): ClusterNode {
    return this.world.cluster.node(name)
  }

  /** The same account at another node. */
  at(name: string): ApiClient {
    return new ApiClient(this.node(name).url, this.admin.token)
  }

  /** How many slots each node owns, by name; slots of nobody, or of a node without a row, count under ''. */
  async owned(): Promise<Readonly<Record<string, number>>> {
    const names = await this.#names()
    const slots = await this.world.reader.slots()
    const counts: Record<string, number> = {}
    for (const { ownerRun } of slots) {
      const name = names.get(ownerRun ?? 0) ?? ''
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  /** Waits until these nodes own every slot among them, and each some. */
  async shared(names: readonly string[]): Promise<void> {
    await waitFor(
      async () => {
        const owned = await this.owned()
        const theirs = names.map((name) => owned[name] ?? 0)
        return theirs.every((count) => count > 0) && theirs.reduce((a, b) => a + b, 0) === SLOTS
      },
      { what: `${names.join(' and ')} to own all slots`, timeoutMs: 60_000, everyMs: 100 },
    )
  }

  /** The slot of a task's series and the name of the node that owns it. */
  async slotOf(taskId: number): Promise<{ slot: SlotRow; owner: string }> {
    const [series] = await this.world.reader.rows<{ slot: number }>(`SELECT slot FROM series WHERE owner_id = ${String(taskId)}`)
    const slot = (await this.world.reader.slots()).find(({ id }) => id === series?.slot)
    if (slot === undefined) throw new Error(`task ${String(taskId)} has no slot`)
    return { slot, owner: (await this.#names()).get(slot.ownerRun ?? 0) ?? '' }
  }

  /** Which node an executor holds its link to. */
  async linkOf(executor: string): Promise<string> {
    const rows = await this.world.reader.rows<{ run: number | null }>(`SELECT link_run AS run FROM executor WHERE name = '${executor}'`)
    return (await this.#names()).get(rows[0]?.run ?? 0) ?? ''
  }

  /** A task of the group default that runs the handler of executor.fixture.ts. */
  async task(name: string, more: Partial<TaskCreate> = {}, work: Partial<Work> = {}): Promise<Task> {
    const made = await this.admin.post<Task>('/task', {
      groupId: await homeGroup(this.admin),
      name,
      schedule: { kind: 'manual' },
      handler: { kind: 'named', name: WORK },
      params: JSON.stringify({ lastsMs: 0, failsOneIn: 0, ...work }),
      overlap: { policy: 'parallel' },
      ...more,
    })
    this.#tasks.push(made)
    return made
  }

  /** Tasks that are due each second, or each `everyMs`, under several policies. */
  async ticking(count: number, everyMs = 1000): Promise<Task[]> {
    const misfires = [
      { policy: 'fireAll', graceMs: 60_000 },
      { policy: 'fireOnce', graceMs: 0 },
      { policy: 'skip', graceMs: 500 },
    ] as const
    return Promise.all(
      Array.from({ length: count }, async (_none, index) => {
        const misfire = misfires[index % misfires.length] ?? misfires[0]
        const schedule =
          index % 2 === 0 ? ({ kind: 'fixedRate', everyMs } as const) : ({ kind: 'cron', expression: '* * * * * ?' } as const)
        return this.task(`ticks-${String(index)}`, { schedule, misfire, enabled: true })
      }),
    )
  }

  /** A task whose slot a node owns, made by trying. */
  async taskOwnedBy(owner: string, more: Partial<TaskCreate> = {}, work: Partial<Work> = {}): Promise<Task> {
    for (let tries = 0; tries < 40; tries += 1) {
      const task = await this.task(`of-${owner}-${String(this.#tasks.length)}`, more, work)
      if ((await this.slotOf(task.id)).owner === owner) return task
    }
    throw new Error(`no task of 40 fell to node ${owner}`)
  }

  /** Waits until each of these tasks has fired for an instant after `after`. */
  async fireAgain(tasks: readonly Task[], after: number): Promise<void> {
    const ids = tasks.map(({ id }) => id)
    await waitFor(
      async () => {
        const rows = await this.world.reader.rows<{ n: number }>(
          `SELECT COUNT(DISTINCT s.owner_id) AS n FROM firing f JOIN series s ON s.id = f.series_id
           WHERE f.due_at > ${String(after)} AND s.owner_id IN (${ids.join()})`,
        )
        return rows[0]?.n === ids.length
      },
      { what: 'every task to fire again', timeoutMs: 60_000, everyMs: 100 },
    )
  }

  /** Stops every task at a node, waits until nothing is open, and holds the ledger against the schedules. */
  async expectExact(nodeName: string, triggered: ReadonlyMap<number, readonly number[]> = new Map()): Promise<ReadonlyMap<string, number>> {
    const admin = this.at(nodeName)
    for (const { id } of this.#tasks) await admin.post(`/task/${String(id)}/stop`)
    const left = 'SELECT id FROM open_instance UNION ALL SELECT id FROM `signal`'
    await waitFor(async () => (await this.world.reader.rows(left)).length === 0, { what: 'the end of every run', timeoutMs: 60_000 })
    // a node that has just joined may still be taking its share
    await waitFor(async () => Object.keys(await this.owned()).every((name) => name !== ''), { what: 'an owner for each slot' })
    const verdict = check(await this.world.reader.ledger(), { starts: this.world.starts(), told: [], triggered })
    expect([...verdict.missing, ...verdict.doubled, ...verdict.stuck]).toEqual([])
    expect(this.world.surprises).toEqual([])
    return new Map(Object.entries(verdict.figures))
  }

  /** What `GET /cluster` says at a node. */
  async view(name: string): Promise<ClusterView> {
    return this.at(name).get<ClusterView>('/cluster')
  }

  async #names(): Promise<ReadonlyMap<number, string>> {
    return new Map((await this.world.reader.nodes()).map(({ runId, name }) => [runId, name]))
  }
}
