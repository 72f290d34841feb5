/** A person who edits, stops, starts and triggers tasks through whichever node answers, and remembers what was answered. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Task } from '@tickwheel/contract'
import { ApiClient } from '../kit/api-client.ts'
import type { Chance } from '../kit/chance.ts'
import type { Told } from './check.ts'
import { otherSchedule } from './tasks.ts'

const TRY_MS = 5_000
const GIVE_UP_MS = 90_000
/** clocks of two processes of one machine, and what is rounded */
const CLOCK_SLACK_MS = 50
/** a try that was given up may still be done by a node that wakes up; none sleeps longer */
const LATE_MS = 30_000

/** Calls an API whose nodes come and go: the next node when one does not answer, for 90 s. */
export class AnyNode {
  readonly #clients: ApiClient[]
  readonly #chance: Chance

  constructor(urls: readonly string[], token: string, chance: Chance) {
    this.#clients = urls.map((url) => new ApiClient(url, token))
    this.#chance = chance
  }

  /** The first answer with one of the statuses. Only for calls that may be repeated. */
  async call<Body>(request: Request, accepted: readonly number[]): Promise<Heard<Body>> {
    const deadline = Date.now() + GIVE_UP_MS
    for (let last = 'nothing', isFirst = true; ; isFirst = false, await pause(100)) {
      const client = this.#clients[this.#chance.between(0, this.#clients.length - 1)]
      if (client === undefined) throw new Error('there is no node to ask')
      const answer = await within(client.call<Body>(request.method, request.path, request.body, request.headers))
      if (answer !== null && accepted.includes(answer.status)) return { status: answer.status, body: answer.body, isFirst }
      if (answer !== null) last = `${String(answer.status)} ${JSON.stringify(answer.body)}`
      if (Date.now() > deadline) throw new Error(`${request.method} ${request.path} was answered by no node; last: ${last}`)
    }
  }
}

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

interface Heard<Body> {
  readonly status: number
  readonly body: Body
  /** nobody was asked before: no earlier try may still be done, by a node that wakes up */
  readonly isFirst: boolean
}

/** null: refused, cut off, or no answer in time. */
async function within<Answer>(call: Promise<Answer>): Promise<Answer | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>()
  const timer = setTimeout(() => resolve(null), TRY_MS)
  return Promise.race([call.catch(() => null), late]).finally(() => clearTimeout(timer))
}

export interface PersonOptions {
  readonly name: string
  readonly api: AnyNode
  readonly chance: Chance
  /** nobody else changes these */
  readonly scheduled: readonly number[]
  readonly manual: readonly number[]
}

export class Person {
  readonly triggered = new Map<number, number[]>()
  readonly told: Told[] = []
  readonly figures = { triggers: 0, toggles: 0, edits: 0 }
  readonly #options: PersonOptions
  /** what was told last of each task, while nobody asks for a change */
  readonly #known = new Map<number, Omit<Told, 'taskId' | 'until'>>()
  /** until when a late try may undo what is known of a task */
  readonly #doubtful = new Map<number, number>()
  #keys = 0

  constructor(options: PersonOptions) {
    this.#options = options
  }

  /** Goes on until told to stop, and then finishes what was begun. */
  async live(signal: AbortSignal): Promise<void> {
    const { chance } = this.#options
    while (!signal.aborted) {
      const roll = chance.next()
      if (roll < 0.5) await this.#trigger()
      else if (roll < 0.75) await this.#toggle()
      else await this.#edit()
      await pause(chance.between(100, 1000), undefined, { signal }).catch(() => null)
    }
  }

  /** Stops every task of this person; from now on the last word about each is known for good. */
  async stopAll(): Promise<void> {
    const { scheduled, manual } = this.#options
    for (const taskId of [...scheduled, ...manual]) await this.#turn(taskId, false)
    for (const [taskId, known] of this.#known) this.told.push({ taskId, until: Number.MAX_SAFE_INTEGER, ...known })
  }

  async #trigger(): Promise<void> {
    const taskId = this.#any(this.#options.manual)
    if (taskId === null) return
    this.#keys += 1
    const headers = { 'idempotency-key': `${this.#options.name}-${String(this.#keys)}` }
    const { body } = await this.#options.api.call<{ instanceId: number }>(
      { method: 'POST', path: `/task/${String(taskId)}/trigger`, body: {}, headers },
      [202],
    )
    this.triggered.set(taskId, [...(this.triggered.get(taskId) ?? []), body.instanceId])
    this.figures.triggers += 1
  }

  async #toggle(): Promise<void> {
    const taskId = this.#any(this.#options.scheduled)
    if (taskId === null) return
    await this.#turn(taskId, this.#options.chance.next() < 0.65)
    this.figures.toggles += 1
  }

  async #turn(taskId: number, isEnabled: boolean): Promise<void> {
    this.#forget(taskId)
    // a task that was due once cannot be started again: 422
    const request = { method: 'POST', path: `/task/${String(taskId)}/${isEnabled ? 'start' : 'stop'}` }
    const { status, isFirst } = await this.#options.api.call(request, [200, 409, 422])
    const now = Date.now()
    if (!isFirst) this.#doubtful.set(taskId, now + LATE_MS)
    if (status === 200 && now > (this.#doubtful.get(taskId) ?? 0))
      this.#known.set(taskId, { at: now + CLOCK_SLACK_MS, isEnabled, schedule: null })
  }

  async #edit(): Promise<void> {
    const taskId = this.#any(this.#options.scheduled)
    if (taskId === null) return
    this.#forget(taskId)
    for (;;) {
      const { body: task } = await this.#options.api.call<Task>({ method: 'GET', path: `/task/${String(taskId)}` }, [200])
      const body = { ...editable(task), schedule: otherSchedule(this.#options.chance, task.schedule) }
      // 409: an earlier try of this very edit was done although nobody answered
      const { status } = await this.#options.api.call<Task>({ method: 'PUT', path: `/task/${String(taskId)}`, body }, [200, 409, 422])
      if (status === 422) return
      if (status === 409) continue
      // a late try of it is refused: it names an older version
      this.#known.set(taskId, { at: Date.now() + CLOCK_SLACK_MS, isEnabled: null, schedule: body.schedule })
      this.figures.edits += 1
      return
    }
  }

  #forget(taskId: number): void {
    const known = this.#known.get(taskId)
    this.#known.delete(taskId)
    if (known !== undefined) this.told.push({ taskId, ...known, until: Date.now() - CLOCK_SLACK_MS })
  }

  #any(ids: readonly number[]): number | null {
    return ids[this.#options.chance.between(0, ids.length - 1)] ?? null
  }
}

/** What an edit sends back of a task that was read. */
function editable(task: Task): Record<string, unknown> {
  const { groupId, name, handler, params, routing, overlap, misfire, timeoutMs, killGraceMs, retry, priority, version } = task
  return { groupId, name, handler, params: params ?? '', routing, overlap, misfire, timeoutMs, killGraceMs, retry, priority, version }
}
