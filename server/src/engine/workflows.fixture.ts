import { STEP_STATE, STEP_STATES, type StepState } from '@tickwheel/core'
import type { Dispatch, Finished } from '@tickwheel/contract'
import type { Session } from '../link/link.ts'
import type { InstanceRow, StepRunRow } from '../store/schema.ts'
import { makeWorkflow, type WorkflowOfTest } from '../store/workflows.fixture.ts'
import { ALICE, ALL, World } from './world.fixture.ts'

/** What an executor of a test does with what it is sent. Null: nothing yet. */
export type Work = (dispatch: Dispatch) => Partial<Finished> | null

export const FAILS: Partial<Finished> = { outcome: 'failed', error: { code: 'E', message: 'it broke' } }

/** A world with workflows, and an executor that does at once what it is sent. */
export class FlowWorld {
  readonly world: World
  readonly executor: Session
  #work: Work = () => ({})
  readonly #done = new Set<string>()
  #made = 0

  private constructor(world: World, executor: Session) {
    this.world = world
    this.executor = executor
  }

  static async create(work?: Work, options: Parameters<typeof World.create>[0] = {}): Promise<FlowWorld> {
    const world = await World.create(options)
    const flows = new FlowWorld(world, await world.executor({ capacity: 100 }))
    if (work !== undefined) flows.does(work)
    return flows
  }

  does(work: Work): void {
    this.#work = work
  }

  async workflow(workflow: WorkflowOfTest): Promise<number> {
    const taskId = await this.world.task({ schedule: { kind: 'manual' }, name: workflow.name ?? `flow ${(this.#made += 1)}` })
    await makeWorkflow(this.world.db, taskId, workflow)
    return taskId
  }

  async start(workflowId: number, params?: Record<string, unknown>): Promise<number> {
    const { workflowRunId } = await this.world.engine.triggerWorkflow(workflowId, params === undefined ? {} : { params }, null, ALL, ALICE)
    await this.world.settled()
    return workflowRunId
  }

  /** A workflow and one run of it, until nothing more is done. */
  async run(workflow: WorkflowOfTest, params?: Record<string, unknown>): Promise<number> {
    const runId = await this.start(await this.workflow(workflow), params)
    await this.work()
    return runId
  }

  /** Ends what is with the executor, and what follows it, until nothing new is sent. */
  async work(): Promise<void> {
    await this.world.settled()
    for (let isMore = true; isMore;) {
      isMore = false
      for (const dispatch of this.world.link.dispatches()) {
        const key = `${dispatch.instanceId}:${dispatch.attempt}`
        if (this.#done.has(key)) continue
        const end = this.#work(dispatch)
        if (end === null) continue
        this.#done.add(key)
        isMore = true
        await this.world.accept(this.executor, dispatch)
        await this.world.finish(this.executor, dispatch, end)
      }
    }
  }

  async pass(ms: number): Promise<void> {
    await this.world.pass(ms)
    await this.world.beat(
      this.executor,
      this.world.link.dispatches().filter((one) => !this.#done.has(`${one.instanceId}:${one.attempt}`)),
    )
    await this.work()
  }

  /** What was sent, by the name of what it does. */
  sent(): string[] {
    return this.world.link.dispatches().map((one) => one.task.name.replace(/^flow\./, ''))
  }

  async steps(runId: number): Promise<StepRunRow[]> {
    return this.world.db.read((tx) => tx.all<StepRunRow>('SELECT * FROM step_run WHERE run_id = ? ORDER BY step_no, round', [runId]))
  }

  /** The states of the steps, by their number, the last round of each; a step without a row is pending. */
  async states(runId: number, count: number): Promise<StepState[]> {
    const states = new Array<StepState>(count).fill('pending')
    for (const row of await this.steps(runId))
      states[row.step_no] = STEP_STATES.find((state) => STEP_STATE[state] === row.state) ?? 'pending'
    return states
  }

  async ended(runId: number): Promise<InstanceRow | null> {
    return (await this.world.ended()).find((row) => row.id === runId) ?? null
  }
}

/** A step that runs a script in place. */
export function script(key: string, more: object = {}) {
  return { key, kind: 'task' as const, inline: { handler: { kind: 'shell' as const, script: key } }, ...more }
}
