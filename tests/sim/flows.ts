import type { WorkflowCreate } from '@tickwheel/contract'
import type { Chance } from '../kit/chance.ts'
import type { Engine } from '../../server/src/engine/engine.ts'
import type { Caller } from '../../server/src/store/caller.ts'
import { ALL_RIGHTS } from '../../server/src/store/run-rights.ts'
import type { SimDatabase } from './sim-database.ts'

const SCOPE = 'all'

type Step = WorkflowCreate['steps'][number]
type Edge = WorkflowCreate['edges'][number]
interface Shape {
  readonly steps: Step[]
  readonly edges: Edge[]
}

/** What people do with workflows: two of them, one within the other; their shape is drawn for each scene. */
export class Flows {
  readonly #chance: Chance
  readonly #database: SimDatabase
  readonly #caller: Caller
  readonly ids: number[] = []

  constructor(chance: Chance, database: SimDatabase, caller: Caller) {
    this.#chance = chance
    this.#database = database
    this.#caller = caller
  }

  /** The task of that name is one of the scene, which is edited, stopped and started while steps run it. */
  async make(engine: Engine, task: string): Promise<void> {
    const [group] = await this.#database.real.read((tx) => tx.all<{ name: string }>('SELECT name FROM task_group WHERE id = 1'))
    const names = { task: `${group?.name}/${task}`, inner: `${group?.name}/inner` }
    this.ids.push(await this.#makeOne(engine, 'inner', this.#diamond(names.task)))
    this.ids.push(await this.#makeOne(engine, 'outer', this.#outer(names)))
  }

  async #makeOne(engine: Engine, name: string, graph: Shape): Promise<number> {
    const input: WorkflowCreate = {
      ...graph,
      groupId: 1,
      name,
      schedule: { kind: 'fixedRate', everyMs: this.#pick([4000, 9000]) },
      overlap: { policy: this.#pick(['queue', 'skip', 'replace']), max: 1 },
      timeoutMs: this.#pick([0, 0, 8000]),
      onFailure: this.#pick(['finish', 'stop']),
      stepConcurrency: this.#pick([0, 0, 1]),
      enabled: true,
    }
    return (await engine.createWorkflow(input, ALL_RIGHTS, SCOPE, this.#caller)).workflowId
  }

  async startAll(engine: Engine): Promise<void> {
    for (const id of this.ids) await engine.startWorkflow(id, SCOPE, this.#caller)
  }

  async stopAll(engine: Engine): Promise<void> {
    for (const id of this.ids) await engine.stopWorkflow(id, { cancelRunning: false }, SCOPE, this.#caller)
  }

  async act(engine: Engine): Promise<void> {
    const id = this.#pick(this.ids)
    const one = this.#chance.next()
    if (one < 0.3) await engine.triggerWorkflow(id, {}, null, SCOPE, this.#caller)
    else if (one < 0.45) await this.#onRun(OPEN, (runId) => engine.cancelWorkflowRun(runId, SCOPE, this.#caller))
    else if (one < 0.6) await this.#onRun(OPEN, (runId) => engine.pauseWorkflowRun(runId, SCOPE, this.#caller))
    else if (one < 0.75) await this.#onRun(PAUSED, (runId) => engine.resumeWorkflowRun(runId, SCOPE, this.#caller))
    else if (one < 0.85) await this.#onRun(OPEN, (runId) => engine.completeStep(runId, 'a', { reason: 'by hand' }, SCOPE, this.#caller))
    else
      await this.#onRun(FAILED, async (runId) => {
        await engine.retryWorkflowRun(runId, {}, null, SCOPE, this.#caller)
      })
  }

  /** Nothing stays paused: what is open must end. */
  async resumeAll(engine: Engine): Promise<void> {
    const rows = await this.#database.real.read((tx) => tx.all<{ id: number }>(PAUSED))
    for (const { id } of rows) await engine.resumeWorkflowRun(id, SCOPE, this.#caller).catch(() => undefined)
  }

  async #onRun(sql: string, act: (runId: number) => Promise<void>): Promise<void> {
    const rows = await this.#database.real.read((tx) => tx.all<{ id: number }>(sql))
    const row = rows[this.#chance.between(0, rows.length - 1)]
    if (row !== undefined) await act(row.id)
  }

  #diamond(task: string): Shape {
    const steps: Step[] = [
      this.#script('a'),
      { key: 'b', kind: 'task', task, retry: { max: 1, delayMs: 300 } },
      { ...this.#script('c'), continueOnFailure: this.#pick([true, false]) },
      { ...this.#script('d'), join: this.#pick(['all', 'any', 'allDone', { atLeast: 2 }]) },
      this.#script('r'),
    ]
    const edges: Edge[] = [
      { from: 'a', to: 'b' },
      { from: 'a', to: 'c' },
      { from: 'b', to: 'd' },
      { from: 'c', to: 'd' },
      { from: 'a', to: 'r', on: 'failure' },
    ]
    return { steps, edges }
  }

  #outer({ task, inner }: { task: string; inner: string }): Shape {
    const each = this.#pick<Extract<Step, { kind: 'fanOut' }>['each']>([
      { kind: 'task', inline: { handler: { kind: 'shell', script: 'item' } }, input: { v: '=item' } },
      { kind: 'task', task },
      { kind: 'subWorkflow', workflow: inner },
    ])
    const steps: Step[] = [
      this.#script('a'),
      { key: 'even', kind: 'condition', when: 'int(run.id) % 2 == 0' },
      { key: 'w', kind: 'wait', forMs: this.#pick([0, 700, 3000]) },
      { key: 's', kind: 'subWorkflow', workflow: inner, retry: { max: this.#pick([0, 1]), delayMs: 500 } },
      {
        key: 'f',
        kind: 'fanOut',
        items: [1, 2, 3],
        concurrency: this.#pick([0, 2]),
        failures: this.#pick(['stop', 'collect']),
        each,
      },
      { ...this.#script('z'), join: this.#pick(['all', 'allDone']) },
    ]
    const edges: Edge[] = [
      { from: 'a', to: 'even' },
      { from: 'even', to: 'w', on: 'branch', branch: 'true' },
      { from: 'even', to: 's', on: 'branch', branch: 'false' },
      { from: 'w', to: 'f' },
      { from: 's', to: 'z' },
      { from: 'f', to: 'z' },
    ]
    return { steps, edges }
  }

  #script(key: string): Extract<Step, { kind: 'task' }> {
    return { key, kind: 'task', inline: { handler: { kind: 'shell', script: key } } }
  }

  #pick<const Item>(items: readonly Item[]): Item {
    return items[this.#chance.between(0, items.length - 1)] as Item
  }
}

const OPEN = 'SELECT id FROM open_instance WHERE runs_workflow = 1 ORDER BY id'
const PAUSED = 'SELECT o.id FROM open_instance o JOIN workflow_run r ON r.run_id = o.id WHERE r.paused_at IS NOT NULL ORDER BY o.id'
const FAILED = 'SELECT id FROM instance WHERE runs_workflow = 1 AND outcome <> 1 ORDER BY id DESC LIMIT 5'
