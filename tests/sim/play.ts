import { Chance } from '../kit/chance.ts'
import type { Engine } from '../../server/src/engine/engine.ts'
import type { ReadTx, Tx } from '../../server/src/store/database.ts'
import { addAlarmRule, alarmFaults } from './checks/alarms.ts'
import { attemptFaults } from './checks/attempts.ts'
import { backfillFaults } from './checks/backfills.ts'
import { calendarFaults } from './checks/calendars.ts'
import { growthFaults, leftoverFaults } from './checks/bounds.ts'
import { durableFaults } from './checks/durable.ts'
import { executorFaults } from './checks/executors.ts'
import { ledgerFaults } from './checks/ledger.ts'
import { reckonedFaults } from './checks/reckoned.ts'
import { shardFaults } from './checks/shards.ts'
import { notTakenOver, slotFaults, slotsOfNode } from './checks/slots.ts'
import { TerminalCheck } from './checks/terminal.ts'
import { Executions } from './executions.ts'
import { People } from './people.ts'
import { SimDatabase } from './sim-database.ts'
import { SimExecutor } from './sim-executor.ts'
import { SimNode } from './sim-node.ts'
import { SimRedis } from './sim-redis.ts'
import { Storm } from './storm.ts'
import { Timeline } from './timeline.ts'
import { Trace } from './trace.ts'
import { faultsSeen } from './watch.ts'
import { workflowFaults } from './checks/workflows.ts'
import { CALM, drawWeather, type Rates, type Weather } from './weather.ts'

const NODES = 4
const TASKS = 4
/** After a storm everything is as it should be within so long: stopped processes go on, supervisors start what has ended. */
const CALM_MS = 14_000
const LATE_START_MS = 14_000
/** A node that is killed, or stands still, is replaced within so long. */
const TAKEOVER_MS = 5000
/** Who was lost is back within so long after that. */
const BACK_MS = 10_000
/** What is due is fired within so long in calm weather. */
const LATE_MS = 2000
/** The longest that anything waits with nothing wrong: an earlier boot counts as recovered a minute after its successor registered. */
const STUCK_MS = 90_000
/** Executors may be silent for 15 s; it is noticed within a few seconds more, and the database's clock may have gone back meanwhile. */
const LOSS_MS = 15_000 + 25_000
const OPEN_RUNS = 2000

export interface PlayOptions {
  readonly seed: number
  readonly isTraced?: boolean
  /** at most so many nodes at once; 4 unless told */
  readonly nodes?: number | undefined
  /** faults planted to show that the checks can fail */
  readonly plant?: Plant
}

export interface Plant {
  /** makes, for each process of a node, what changes its transactions on their way */
  readonly bend?: () => (tx: Tx) => Tx
  readonly runsTwice?: boolean
  /** attempts of the scene's group at once; drawn by chance unless told */
  readonly groupLimit?: number
  /** triggers, whose names begin with `plant_`, that the store has for this scene */
  readonly sql?: readonly string[]
  readonly weather?: Partial<Omit<Weather, 'rates'>> & { readonly rates?: Partial<Rates> }
}

export interface Outcome {
  readonly seed: number
  readonly faults: readonly string[]
  readonly trace: string
  /** what came to pass: to show that a scene is not empty */
  readonly fired: number
  readonly executed: number
  readonly events: number
}

/** Plays the scene of one seed: a storm, then calm weather, in which everything must come to its place. */
export async function play(options: PlayOptions): Promise<Outcome> {
  const scene = await Scene.create(options)
  try {
    await scene.play()
    return await scene.outcome()
  } finally {
    await scene.end()
  }
}

class Scene {
  readonly #seed: number
  readonly #chance: Chance
  readonly #timeline: Timeline
  readonly #trace: Trace
  readonly #database: SimDatabase
  readonly #weather: Weather
  readonly #rates: Rates = { ...CALM }
  readonly #redis: SimRedis
  readonly #nodes: readonly SimNode[]
  readonly #executors: readonly SimExecutor[]
  readonly #executions = new Executions()
  readonly #people: People
  readonly #storm: Storm
  readonly #terminal = new TerminalCheck()
  readonly #faults = new Set<string>()
  #isCalm = false

  private constructor(
    { seed, plant = {}, nodes = NODES }: PlayOptions,
    chance: Chance,
    timeline: Timeline,
    trace: Trace,
    database: SimDatabase,
  ) {
    this.#seed = seed
    this.#chance = chance
    this.#timeline = timeline
    this.#trace = trace
    this.#database = database
    this.#weather = weatherOf(chance, plant, nodes)
    this.#redis = new SimRedis(timeline)
    const [weather, redis, rates] = [this.#weather, this.#redis, this.#rates]
    redis.isAway = !weather.hasRedis
    const onFault = (text: string): void => void this.#faults.add(text)
    const common = { timeline, chance, trace, rates, database }
    this.#nodes = Array.from(
      { length: nodes },
      (_, index) => new SimNode({ ...common, name: `n${index + 1}`, redis, onFault, bend: plant.bend }),
    )
    this.#executors = Array.from(
      { length: weather.executors },
      (_, index) =>
        new SimExecutor({
          ...common,
          name: `x${index + 1}`,
          capacity: chance.between(1, 6),
          clockOff: chance.pick([0, chance.between(-3000, 3000)]),
          doors: () => this.#nodes.filter((node) => node.isWanted),
          executions: this.#executions,
          runsTwice: plant.runsTwice,
        }),
    )
    this.#people = new People({ ...common, engines: () => this.#engines(), onFault })
    this.#storm = new Storm({ ...common, weather, redis, nodes: this.#nodes, executors: this.#executors })
  }

  static async create(options: PlayOptions): Promise<Scene> {
    const chance = new Chance(options.seed)
    const timeline = new Timeline(chance)
    const database = await SimDatabase.create(timeline)
    const concurrency = options.plant?.groupLimit ?? chance.pick([null, null, null, 2, 4])
    await database.real.write('rest', async (tx) => {
      for (const sql of options.plant?.sql ?? []) await tx.run(sql)
      await addAlarmRule(tx)
      await tx.insert('task_group', [
        {
          id: 1,
          name: 'group 1',
          name_key: 'group 1',
          app_name: 'app-1',
          description: '',
          version: 1,
          concurrency,
          xxl_token: null,
          created_at: 0,
          updated_at: 0,
        },
      ])
    })
    return new Scene(options, chance, timeline, new Trace(timeline, options.isTraced === true), database)
  }

  async play(): Promise<void> {
    this.#trace.line(() => `seed ${this.#seed}: ${JSON.stringify(this.#weather)}`)
    if (!(await this.#begin())) return
    await this.#rage()
    if (!(await this.#settle())) return
    if (!(await this.#loseNode())) return
    await this.#loseExecutor()
    await this.#drain()
  }

  async outcome(): Promise<Outcome> {
    const { real } = this.#database
    const seen = await faultsSeen(real)
    const [row] = await real.read((tx) => tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM firing'))
    return {
      seed: this.#seed,
      faults: [...seen, ...this.#faults],
      trace: this.#trace.text,
      fired: row?.n ?? 0,
      executed: this.#executions.all.length,
      events: this.#timeline.rung,
    }
  }

  async end(): Promise<void> {
    for (const node of this.#nodes) {
      node.isWanted = false
      node.process?.kill()
    }
    for (const executor of this.#executors) for (const one of executor.living()) one.process.kill()
    await this.#timeline.runUntil(this.#timeline.now)
    await this.#database.giveBack()
  }

  // ── acts ──

  async #begin(): Promise<boolean> {
    for (const node of this.#nodes.slice(0, this.#weather.nodes)) node.start()
    if (!(await this.#pass(10_000, () => this.#engines().length === this.#weather.nodes))) return this.#fault('bounds: nodes did not start')
    for (const executor of this.#executors) executor.start()
    const [engine] = this.#engines()
    if (engine === undefined || !(await this.#do(this.#people.makeTasks(engine, TASKS)))) return this.#fault('bounds: tasks were not made')
    await this.#pass(this.#chance.between(0, 6000))
    return true
  }

  async #rage(): Promise<void> {
    Object.assign(this.#rates, this.#weather.rates)
    this.#storm.start()
    this.#actLater()
    const parts = 3
    for (let part = 0; part < parts; part += 1) {
      await this.#pass(Math.ceil(this.#weather.stormMs / parts))
      await this.#check((tx) => this.#terminal.look(tx))
      await this.#check((tx) => growthFaults(tx, OPEN_RUNS))
    }
    Object.assign(this.#rates, CALM)
    this.#isCalm = true
    this.#storm.calm()
    this.#trace.line(() => 'the weather is calm')
  }

  /** Everything finds its place again. */
  async #settle(): Promise<boolean> {
    for (const node of this.#nodes.slice(0, this.#weather.nodes)) if (!node.isWanted) node.start()
    for (const executor of this.#executors) if (!executor.isUp) executor.start()
    await this.#pass(CALM_MS)
    for (const executor of this.#executors) if (!executor.isUp) executor.start()
    const wanted = this.#nodes.filter((node) => node.isWanted).length
    // one that was frozen when it was told to leave ends late, and its supervisor takes up to eight seconds more
    if (this.#engines().length < wanted) await this.#pass(LATE_START_MS)
    const [engine] = this.#engines()
    if (engine === undefined || this.#engines().length < wanted)
      return this.#fault(`bounds: ${this.#engines().length} of ${wanted} nodes are up in calm weather`)
    if (!(await this.#do(this.#people.startAll(engine)))) return this.#fault('bounds: a task cannot be started in calm weather')
    await this.#pass(3000)
    await this.#check((tx) => slotFaults(tx, this.#runIds()))
    await this.#check((tx) => ledgerFaults(tx, this.#database.now(), LATE_MS))
    await this.#check(async (tx) =>
      executorFaults(
        tx,
        this.#executors.map((executor) => ({ name: executor.name, session: executor.current?.session ?? null })),
      ),
    )
    return true
  }

  /** In calm weather one node is killed, or stops, perhaps inside a transaction: its slots fire elsewhere within five seconds. */
  async #loseNode(): Promise<boolean> {
    const up = this.#nodes.filter((node) => node.isUp)
    const victim = up[this.#chance.between(0, up.length - 1)]
    if (victim === undefined || up.length < 2) return true
    const how = this.#chance.pick(['kill', 'stop', 'freeze', 'leave'])
    this.#trace.line(() => `in calm weather: ${how} ${victim.name}`)
    const lost = victim.runId
    const before = await this.#database.real.read((tx) => slotsOfNode(tx, lost))
    if (!(await this.#lose(victim, how))) return true
    await this.#pass(TAKEOVER_MS)
    await this.#check(async (tx) => {
      const without = await notTakenOver(tx, before)
      return without === 0 ? [] : [`slots: ${without} are not taken over ${TAKEOVER_MS} ms after node ${lost} was lost (${how})`]
    })
    await this.#check(async (tx) =>
      (await ledgerFaults(tx, this.#database.now(), LATE_MS)).map(
        (fault) => `${fault} (${TAKEOVER_MS} ms after node ${lost} was lost: ${how})`,
      ),
    )
    await this.#pass(BACK_MS)
    await this.#check((tx) => slotFaults(tx, this.#runIds()))
    return true
  }

  /** False: nothing came of it. */
  async #lose(victim: SimNode, how: string): Promise<boolean> {
    const { process } = victim
    if (process === null) return false
    switch (how) {
      case 'kill':
        victim.kill()
        return true
      case 'leave':
        await this.#do(victim.leave())
        return true
      case 'stop':
        process.pause()
        this.#timeline.after(8000, null, () => process.continue())
        return true
      default:
        victim.store?.freezeNext(8000)
        return this.#pass(5000, () => process.isPaused)
    }
  }

  /** An executor dies and does not come back: it is noticed, and what it had ends or goes elsewhere. */
  async #loseExecutor(): Promise<void> {
    const victim = this.#executors[this.#chance.between(0, this.#executors.length - 1)]
    if (victim === undefined || this.#chance.next() < 0.75) return
    victim.kill()
    const isNoticed = async (): Promise<boolean> =>
      (await this.#database.real.read((tx) => executorFaults(tx, [{ name: victim.name, session: null }]))).length === 0
    for (let waited = 0; waited < LOSS_MS && !(await isNoticed()); waited += 1000) await this.#pass(1000)
    await this.#check((tx) => executorFaults(tx, [{ name: victim.name, session: null }]))
    victim.start()
  }

  /** A node that was cut off a while ago learns of it at its next call, which is answered 503: a person tries once more. */
  async #stopAll(): Promise<boolean> {
    for (let tries = 0; tries < 2; tries += 1) {
      const [engine] = this.#engines()
      if (engine !== undefined && (await this.#do(this.#people.stopAll(engine)))) return true
      await this.#pass(1000)
    }
    return false
  }

  /** No task fires any more; everything that is open ends. */
  async #drain(): Promise<void> {
    if (!(await this.#stopAll())) {
      this.#fault('bounds: tasks cannot be stopped in calm weather')
      return
    }
    await this.#untilNoneIsOpen()
    await this.#pass(3000)
    await this.#check((tx) => leftoverFaults(tx, this.#engines()))
    await this.#check((tx) => ledgerFaults(tx, this.#database.now(), 0))
    await this.#check((tx) => this.#terminal.look(tx))
    await this.#check((tx) => shardFaults(tx))
    await this.#check((tx) => workflowFaults(tx))
    await this.#check((tx) => alarmFaults(tx))
    await this.#check((tx) => backfillFaults(tx))
    await this.#check((tx) => calendarFaults(tx))
    await this.#check((tx) => attemptFaults(tx, this.#executions.all))
    await this.#check((tx) => durableFaults(tx, this.#executions.acknowledged, this.#people.answered))
    for (const fault of await reckonedFaults(this.#database.real, this.#database.now())) this.#fault(fault)
  }

  /** For as long as runs end or are split, they may take their time: of what is open, of what is split off while one waits, and of what a backfill makes. */
  async #untilNoneIsOpen(): Promise<void> {
    let [most, since] = [-1, this.#timeline.now]
    while (this.#timeline.now - since < STUCK_MS) {
      const { open, done } = await this.#progress()
      if (open === 0) return
      if (done > most) [most, since] = [done, this.#timeline.now]
      await this.#pass(2000)
    }
  }

  // ── means ──

  #engines(): Engine[] {
    return this.#nodes.flatMap((node) => node.engine ?? [])
  }

  #runIds(): number[] {
    return this.#engines().map((engine) => engine.status().runId)
  }

  #actLater(): void {
    const { personEveryMs } = this.#weather
    this.#timeline.after(this.#chance.next() * 2 * personEveryMs, null, () => {
      if (this.#isCalm) return
      this.#people.act()
      this.#actLater()
    })
  }

  /** Lets time pass; true when `isDone` came true. */
  async #pass(ms: number, isDone: () => boolean = () => false): Promise<boolean> {
    await this.#timeline.runUntil(this.#timeline.now + ms, isDone)
    return isDone()
  }

  /** Lets time pass until something that was begun is over; false: it failed, or took longer than half a minute. */
  async #do(work: Promise<unknown>): Promise<boolean> {
    const ends: boolean[] = []
    void work.then(
      () => ends.push(true),
      (error: unknown) => {
        this.#trace.line(() => `it failed: ${String(error)}`)
        ends.push(false)
      },
    )
    await this.#pass(30_000, () => ends.length > 0)
    return ends[0] === true
  }

  async #check(look: (tx: ReadTx) => Promise<readonly string[]>): Promise<void> {
    for (const fault of await this.#database.real.read(look)) this.#fault(fault)
  }

  /** `open`: runs and backfills; `done`: runs that have ended or made their children. */
  async #progress(): Promise<{ readonly open: number; readonly done: number }> {
    const count = (of: string): string => `(SELECT COUNT(*) FROM ${of})`
    const open = `${count('open_instance')} + ${count('backfill WHERE stage < 3')}`
    const done = `${count('instance')} + ${count('open_instance WHERE children_made > 0')}`
    const [row] = await this.#database.real.read((tx) => tx.all<{ open: number; done: number }>(`SELECT ${open} AS open, ${done} AS done`))
    return row ?? { open: 0, done: 0 }
  }

  #fault(text: string): false {
    if (!this.#faults.has(text)) this.#trace.line(() => `FAULT ${text}`)
    this.#faults.add(text)
    return false
  }
}

function weatherOf(chance: Chance, plant: Plant, nodes: number): Weather {
  const drawn = drawWeather(chance, Math.max(1, nodes - 1))
  const { rates = {}, ...rest } = plant.weather ?? {}
  return { ...drawn, ...rest, rates: { ...drawn.rates, ...rates } }
}
