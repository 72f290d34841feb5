import type { Verdict } from '@tickwheel/contract'
import { PHASE } from '@tickwheel/core'
import type { Database } from '../../store/database.ts'
import { EXECUTOR_STATE } from '../../store/executors.ts'
import type { ExecutorRow } from '../../store/schema.ts'
import { addGroup, changeAt, logsOf, memoryStore, openRow, taskInput } from '../../store/store.fixture.ts'
import { createTask } from '../../store/tasks.ts'
import { wiresById } from '../../store/wires.ts'
import { dispatchOf, type LinkHarness, type Peer, type Refusal, type Said } from '../conformance.fixture.ts'
import type { BeatAnswer, Link, LinkHost, Order, Session } from '../link.ts'
import { Networks } from '../networks.ts'
import { Access } from './access.ts'
import { StubExecutor } from './stub-executor.fixture.ts'
import { XxlLink } from './xxl-link.ts'

const FAR_MS = 3_600_000
/** Nothing is asked of an executor but what a test is about: no logs, and not whether a run is still there. */
const TIMING = {
  tickMs: 5,
  probeMs: 20,
  pollMinMs: FAR_MS,
  pollMaxMs: FAR_MS,
  lastPageMs: FAR_MS,
  lookMs: FAR_MS,
  idleMs: FAR_MS,
  timeouts: { connectMs: 2_000, answerMs: 300 },
}
const APP = 'app-1'
const TOKEN = 'secret'
const NOBODYS_NUMBER = 12

/** The link over a real store, in which stands what an engine would have written: executors before they join, attempts before they are sent. */
export async function serveXxl(host: LinkHost): Promise<LinkHarness> {
  const db = await memoryStore()
  await addGroup(db, 1)
  const { taskId } = await createTask(db, { input: taskInput(), serverZone: 'UTC' }, changeAt(host.now()))
  const stage = new Stage(host, db, taskId)
  return { link: stage, connect: () => Promise.resolve(new XxlPeer(stage)), close: () => stage.close() }
}

class Stage implements Link {
  readonly db: Database
  readonly xxl: XxlLink
  /** by executor: the process at its address, whichever boot it is of */
  readonly #stubs = new Map<number, StubExecutor>()
  readonly #joining = new Map<number, (refusal: Refusal | null) => void>()
  readonly #taskId: number
  /** what an engine commits before it sends */
  #commits: Promise<unknown> = Promise.resolve()
  #next: Session = { executorId: 0, bootId: 0 }
  #nextNumber = 1_000_000

  constructor(host: LinkHost, db: Database, taskId: number) {
    this.db = db
    this.#taskId = taskId
    this.xxl = new XxlLink({
      host: this.#overhear(host),
      db,
      logs: logsOf(db),
      takeIds: async (count) => {
        await this.#commits
        this.#nextNumber += count
        return this.#nextNumber - count
      },
      register: async (_groupId, register, { address }) => {
        await this.#enroll(this.#next, register.name, address)
        return this.#next
      },
      issueToken: () => 'token',
      onExecutors: () => undefined,
      access: new Access({ db, sharedToken: TOKEN, openToken: () => null, isSame: (a, b) => a === b, log: { warn: () => undefined } }),
      networks: Networks.everywhere,
      capacity: 100,
      logLimitBytes: 1_000_000,
      log: { warn: () => undefined },
      timing: TIMING,
    })
  }

  send(session: Session, orders: readonly Order[]): 'sent' | 'absent' | 'full' {
    const answer = this.xxl.send(session, orders)
    if (answer === 'sent') this.#commits = this.#commits.then(() => this.#write(session, orders))
    return answer
  }
  drain(): void {
    this.xxl.drain()
  }
  end(session: Session): void {
    this.xxl.end(session)
  }
  pause(): void {
    this.xxl.pause()
  }
  resume(): void {
    this.xxl.resume()
  }

  async close(): Promise<void> {
    await this.xxl.close()
    for (const stub of this.#stubs.values()) await stub.die()
  }

  /** The process at the address of an executor; a newer boot of it stands where the older did. */
  async processOf({ executorId }: Session): Promise<StubExecutor> {
    const stub = this.#stubs.get(executorId) ?? (await this.#stub())
    this.#stubs.set(executorId, stub)
    return stub
  }

  /** Resolves when it was welcomed, or refused: it does not hear of either. */
  async join(session: Session, stub: StubExecutor): Promise<Refusal | null> {
    const { promise, resolve } = Promise.withResolvers<Refusal | null>()
    this.#joining.set(session.executorId, resolve)
    this.#next = session
    await this.#lose(session.executorId)
    await stub.register(APP)
    return promise
  }

  async committed(): Promise<void> {
    await this.#commits
  }

  async #stub(): Promise<StubExecutor> {
    const stub = new StubExecutor('2.3', async (path, body) => {
      if (path === 'registry') return this.xxl.registry(body, { token: TOKEN, isNewDialect: false })
      return path === 'registryRemove' ? this.xxl.registryRemove(body, TOKEN) : this.xxl.callback(body, TOKEN)
    })
    return stub.listen()
  }

  /** The host as it is, except that the suite learns how a joining went. */
  #overhear(host: LinkHost): LinkHost {
    return {
      join: async (hello) => {
        const answer = await host.join(hello)
        if (answer.kind !== 'welcome') this.#joining.get(hello.executorId)?.('other')
        return answer
      },
      joined: (session) => {
        host.joined(session)
        this.#joining.get(session.executorId)?.(null)
      },
      left: (session) => host.left(session),
      beat: (session, beat) => host.beat(session, beat),
      hear: (session, beat) => host.hear(session, beat),
      gone: (session) => host.gone(session),
      report: (session, report) => host.report(session, report),
      now: () => host.now(),
    }
  }

  async #enroll({ executorId, bootId }: Session, name: string, address: string | null): Promise<void> {
    const row: ExecutorRow = {
      id: executorId,
      group_id: 1,
      name,
      boot_id: bootId,
      recovered_boot: 0,
      registered_at: 0,
      state: EXECUTOR_STATE.online,
      draining: 0,
      transport: 'xxl',
      version: '',
      host: '',
      pid: 0,
      capacity: 100,
      labels: '{}',
      handlers: '[]',
      link_run: null,
      address,
      process_key: null,
      process_boot: null,
      map_boot: null,
    }
    await this.db.write('rest', async (tx) => {
      await tx.run('DELETE FROM executor WHERE id = ?', [executorId])
      await tx.insert('executor', [row])
    })
  }

  async #lose(executorId: number): Promise<void> {
    await this.db.write('rest', async (tx) => void (await tx.run('UPDATE executor SET state = 0 WHERE id = ?', [executorId])))
  }

  async #write(session: Session, orders: readonly Order[]): Promise<void> {
    await this.db.write('rest', async (tx) => {
      for (const { type, instanceId, attempt } of orders) {
        if (type === 'cancel') {
          await tx.run('UPDATE open_instance SET cancel_at = 1 WHERE id = ? AND attempt = ?', [instanceId, attempt])
          continue
        }
        const [known] = await tx.all<{ attempt: number }>('SELECT attempt FROM open_instance WHERE id = ?', [instanceId])
        if (known?.attempt === attempt) continue
        await tx.run('DELETE FROM open_instance WHERE id = ?', [instanceId])
        await tx.insert('open_instance', [
          openRow(instanceId, {
            phase: PHASE.dispatched,
            task_id: this.#taskId,
            attempt,
            executor_id: session.executorId,
            boot_id: session.bootId,
            sent_at: 1,
          }),
        ])
      }
    })
  }
}

/** An XXL-JOB executor as the suite has it: runs it knows by their numbers alone, and of what it calls it hears whether it was taken. */
class XxlPeer implements Peer {
  readonly orders: Order[] = []
  /** the wire has no such order */
  readonly drains: boolean[] = []
  /** the wire does not tell */
  readonly ended = new Promise<Refusal>(() => undefined)
  isSilent = false
  readonly #stage: Stage
  #stub: StubExecutor | null = null
  /** attempts that it was given, by what the suite calls them */
  readonly #numbers = new Map<string, number>()
  #open: { logId: number; jobId: number; instanceId: number; attempt: number }[] = []
  #waiters: { isMet: () => boolean; resolve: () => void }[] = []

  constructor(stage: Stage) {
    this.#stage = stage
  }

  async join(session: Session): Promise<Refusal | null> {
    const stub = await this.#stage.processOf(session)
    this.#stub = stub
    stub.onRun = async ({ logId, jobId, executorParams: params }) => {
      const [wire] = await wiresById(this.#stage.db, [logId])
      if (wire === undefined) throw new Error('it was sent before its number was durable')
      const { instance_id: instanceId, attempt } = wire
      this.#numbers.set(`${String(instanceId)}:${String(attempt)}`, logId)
      this.#open.push({ logId, jobId, instanceId, attempt })
      this.#take(dispatchOf(instanceId, session, { attempt, params }))
      return this.isSilent ? 'hang' : { code: 200 }
    }
    // it names a job, and means each run of it
    stub.onKill = (jobId) => {
      for (const run of this.#open.filter((one) => one.jobId === jobId))
        this.#take({ type: 'cancel', instanceId: run.instanceId, attempt: run.attempt, bootId: session.bootId, at: 0 })
    }
    return this.#stage.join(session, stub)
  }

  /** Calls back until that is taken, as executors do. */
  async report(said: Said): Promise<Verdict> {
    if (said.type !== 'finished') throw new Error(`an executor of XXL-JOB cannot say ${said.type}`)
    const logId = this.#numbers.get(`${String(said.instanceId)}:${String(said.attempt)}`) ?? NOBODYS_NUMBER
    this.#open = this.#open.filter((run) => run.logId !== logId)
    await this.#stage.committed()
    const code = said.outcome === 'succeeded' ? 200 : 500
    while (!isTaken(await this.#process.finish(logId, code, typeof said.result === 'string' ? said.result : null)))
      await new Promise((resolve) => setImmediate(resolve))
    return 'done'
  }

  /** It registers. What runs there it does not say. */
  async beat(): Promise<BeatAnswer> {
    const answer = await this.#process.register(APP)
    return { store: isTaken(answer) ? 'ok' : 'away', cancel: [], unknown: [] }
  }

  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }))
  }

  leave(): void {
    void this.#process.die()
  }

  get #process(): StubExecutor {
    if (this.#stub === null) throw new Error('it has not joined')
    return this.#stub
  }

  #take(order: Order): void {
    this.orders.push(order)
    const met = this.#waiters.filter((waiter) => waiter.isMet())
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const waiter of met) waiter.resolve()
  }
}

/** What the server said to a call: it says no more than that it is taken, or is to come again. */
function isTaken(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'code' in answer && answer.code === 200
}
