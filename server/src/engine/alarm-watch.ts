import { CAUSE, CONDITION_DEFAULTS, PHASE, REASON, reasonOf, slotOf, type AlarmEvent, type RuleIndex } from '@tickwheel/core'
import { watchRules } from '../store/alarm-rules.ts'
import { pendingAlarms, raiseForRules, type Raised } from '../store/alarm-signals.ts'
import { overdueCursors } from '../store/alarm-sweeps.ts'
import { dueRules, turnOfRule, TURN_IDS } from '../store/alarm-turn.ts'
import type { Database } from '../store/database.ts'
import type { RunIds } from '../store/ids.ts'
import type { AlarmSignalRow, NodeRow } from '../store/schema.ts'
import type { Clock } from './clock.ts'
import type { Events } from './events.ts'
import type { OpenRun, OpenRuns } from './open-runs.ts'
import { Pump } from './pump.ts'
import type { SlotKeeper } from './slot-keeper.ts'

/** signals of one turn, rules that are looked at without one, and occurrences that one sweep leaves */
const SIGNALS_AT_ONCE = 500
const RULES_AT_ONCE = 50
const RAISED_AT_ONCE = 500
/** Of so many late runs at least it is remembered that they were told. */
const TOLD_KEPT = 20_000
/** What lasts is told of again so often: its incident is over when it is not. */
const LASTING_EVERY_MS = 20_000
/** A process of which no beat has come for so long, and none of the same name lives, is down. */
const NODE_DOWN_MS = 10_000
/** Waits that say that no executor can take a run, however long it waits. */
const NO_EXECUTOR: ReadonlySet<number> = new Set([
  REASON.waitsForExecutor,
  REASON.waitsForHandler,
  REASON.waitsForLabels,
  REASON.waitsForMapper,
])

export interface AlarmWatchOptions {
  readonly db: Database
  readonly clock: Clock
  readonly ids: RunIds
  readonly keeper: SlotKeeper
  readonly runs: OpenRuns
  readonly events: Events
  readonly onTrouble: (error: unknown) => void
  readonly onRecovered: () => void
}

interface Found {
  readonly ruleId: number
  readonly raised: Raised
}

/**
 * The alarm stage. It keeps in memory which rules watch what, for the transactions that end runs; once a second it finds what no transaction tells: runs
 * that are late or have no executor, nodes that are down; and as the owner of a rule's slot it applies what happened to the rule, all of a second in one transaction.
 */
export class AlarmWatch {
  readonly #options: AlarmWatchOptions
  readonly #pump: Pump
  /** -1: not read yet; 0: there has never been a rule */
  #revision = -1
  #rules: RuleIndex | null = null
  #told = new Set<string>()
  #toldBefore = new Set<string>()
  /** when something that lasts was told of, monotonic */
  readonly #lasting = new Map<string, number>()

  constructor(options: AlarmWatchOptions) {
    this.#options = options
    this.#pump = new Pump(options, () => this.#turn())
  }

  get pump(): Pump {
    return this.#pump
  }

  /** Learns of changed rules. Before anything is decided, and once a second. */
  async refresh(): Promise<void> {
    const { revision, rules } = await watchRules(this.#options.db, this.#revision)
    this.#revision = revision
    this.#rules = rules ?? this.#rules
  }

  async sweep(): Promise<void> {
    await this.refresh()
    const rules = this.#rules
    if (rules !== null && !rules.isEmpty) await this.#raise(rules)
    if (this.#revision > 0) this.#pump.kick()
  }

  async #raise(rules: RuleIndex): Promise<void> {
    const found = [
      ...this.#findLate(rules),
      ...(await this.#findOverdue(rules)),
      ...this.#findWithoutExecutor(rules),
      ...this.#findNodesDown(rules),
    ].slice(0, RAISED_AT_ONCE)
    if (found.length > 0) await this.#options.db.write('rest', (tx) => raiseForRules(tx, found))
  }

  async #turn(): Promise<boolean> {
    const { db, clock, keeper } = this.#options
    if (this.#revision <= 0) return false
    const signals = await pendingAlarms(db, keeper.slots, SIGNALS_AT_ONCE)
    const due = await dueRules(db, keeper.slots, clock.now(), RULES_AT_ONCE)
    const byRule = Map.groupBy(signals, (signal) => signal.rule_id)
    let isOvertaken = false
    for (const ruleId of new Set([...byRule.keys(), ...due])) if (!(await this.#apply(ruleId, byRule.get(ruleId) ?? []))) isOvertaken = true
    return isOvertaken || signals.length === SIGNALS_AT_ONCE
  }

  async #apply(ruleId: number, signals: readonly AlarmSignalRow[]): Promise<boolean> {
    const { db, clock, ids, events } = this.#options
    const firstId = await ids.take(signals.length + TURN_IDS)
    const outcome = await turnOfRule(db, { ruleId, signals, now: clock.now(), firstId })
    if (outcome.kind === 'overtaken') return false
    events.emit([
      ...outcome.incidents.map(({ incidentId, groupId }) => ({ kind: 'incidentChanged' as const, incidentId, groupId: groupId ?? 0 })),
      ...(outcome.told ? [{ kind: 'alarmTold' as const }] : []),
    ])
    return true
  }

  /** Runs that were due and have not started, each told once for each rule. */
  #findLate(rules: RuleIndex): Found[] {
    if (!rules.watches('late')) return []
    const now = this.#options.clock.now()
    const watchers = remembered((run: OpenRun) => rules.watchersOf('late', run.groupId, run.taskId))
    const found: Found[] = []
    for (const run of this.#options.runs.all()) {
      if (run.dueAt === null || run.cause !== CAUSE.schedule || run.phase === PHASE.running) continue
      const lateMs = now - run.dueAt
      for (const { ruleId, condition } of watchers(run)) {
        if (lateMs <= condition.afterMs || !this.#isNew(`${ruleId}:r${run.id}`)) continue
        found.push({ ruleId, raised: lateRun(run, lateMs, now) })
        if (found.length >= RAISED_AT_ONCE) return found
      }
    }
    return found
  }

  /** Instants that were due and that nobody has looked at. */
  async #findOverdue(rules: RuleIndex): Promise<Found[]> {
    if (!rules.watches('late')) return []
    const { db, clock, keeper } = this.#options
    const now = clock.now()
    const cursors = await overdueCursors(db, keeper.slots, { before: now - LATE_FROM_MS, limit: RULES_AT_ONCE })
    return cursors.flatMap((cursor) =>
      rules
        .watchersOf('late', cursor.groupId, cursor.taskId)
        .filter(
          ({ ruleId, condition }) => now - cursor.dueAt > condition.afterMs && this.#isNew(`${ruleId}:c${cursor.seriesId}@${cursor.dueAt}`),
        )
        .map(({ ruleId }) => ({
          ruleId,
          raised: {
            event: 'late' as const,
            target: { kind: 'task' as const, id: cursor.taskId, name: '' },
            groupId: cursor.groupId,
            at: now,
            key: `c${cursor.seriesId}@${cursor.dueAt}`,
            facts: { dueAt: cursor.dueAt, lateMs: now - cursor.dueAt },
          },
        })),
    )
  }

  /** Queued runs that no executor can take: one incident for a group that has none, else for the task. */
  #findWithoutExecutor(rules: RuleIndex): Found[] {
    if (!rules.watches('noExecutor')) return []
    const now = this.#options.clock.now()
    const watchers = remembered((run: OpenRun) => rules.watchersOf('noExecutor', run.groupId, run.taskId))
    const found = new Map<string, Found>()
    for (const run of this.#options.runs.all()) {
      if (run.waitCode === null || !NO_EXECUTOR.has(run.waitCode)) continue
      const waitedMs = now - (run.queuedAt ?? run.createdAt)
      for (const { ruleId, condition } of watchers(run)) {
        const raised = withoutExecutor(run, waitedMs, now)
        const key = `${ruleId}:${raised.key}`
        if (waitedMs > condition.afterMs && !found.has(key)) found.set(key, { ruleId, raised })
      }
      if (found.size >= RAISED_AT_ONCE) break
    }
    return this.#lastingOf(found)
  }

  /** Processes that ended without saying so. The owner of a rule looks for it, so that each is told once. */
  #findNodesDown(rules: RuleIndex): Found[] {
    const mine = rules.watchersOf('nodeDown', null, null).filter(({ ruleId }) => this.#options.keeper.slots.has(slotOf('alarm', ruleId)))
    if (mine.length === 0) return []
    const down = this.#nodesDown()
    const now = this.#options.clock.now()
    return this.#lastingOf(
      new Map(
        mine.flatMap(({ ruleId }) =>
          down.map((node): [string, Found] => [`${ruleId}:n${node.run_id}`, { ruleId, raised: nodeDown(node, now) }]),
        ),
      ),
    )
  }

  #nodesDown(): NodeRow[] {
    const { keeper } = this.#options
    const { nodes, now } = keeper.rows
    const live = new Set(keeper.live.map((node) => node.name))
    return nodes.filter((node) => now - node.beat_at > NODE_DOWN_MS && !live.has(node.name) && !keeper.isLive(node.run_id))
  }

  /** What lasts, without what was told of a moment ago. */
  #lastingOf(found: ReadonlyMap<string, Found>): Found[] {
    const now = this.#options.clock.monotonic()
    for (const [key, at] of this.#lasting) if (now - at > 3 * LASTING_EVERY_MS) this.#lasting.delete(key)
    return [...found].flatMap(([key, one]) => {
      if (now - (this.#lasting.get(key) ?? -Infinity) < LASTING_EVERY_MS) return []
      this.#lasting.set(key, now)
      return [one]
    })
  }

  /** Whether this process tells of something for the first time, as far as it remembers; the consumer knows for certain. */
  #isNew(key: string): boolean {
    if (this.#told.has(key) || this.#toldBefore.has(key)) return false
    if (this.#told.size >= TOLD_KEPT) {
      this.#toldBefore = this.#told
      this.#told = new Set()
    }
    this.#told.add(key)
    return true
  }
}

/** The shortest patience that a rule may have. */
const LATE_FROM_MS = Math.min(1_000, CONDITION_DEFAULTS.late.afterMs)

/** Asks once for each task. */
function remembered<Answer>(ask: (run: OpenRun) => Answer): (run: OpenRun) => Answer {
  const known = new Map<string, Answer>()
  return (run) => {
    const key = `${run.groupId}:${run.taskId}`
    const answer = known.get(key) ?? ask(run)
    known.set(key, answer)
    return answer
  }
}

function lateRun(run: OpenRun, lateMs: number, at: number): Raised {
  return {
    event: 'late',
    target: { kind: run.isFlow ? 'workflow' : 'task', id: run.taskId, name: '' },
    groupId: run.groupId,
    at,
    key: `r${run.id}`,
    facts: { dueAt: run.dueAt, lateMs },
    instanceId: run.id,
  }
}

function withoutExecutor(run: OpenRun, waitedMs: number, at: number): Raised {
  const isGroup = run.waitCode === REASON.waitsForExecutor
  const reason = run.waitCode === null ? null : reasonOf(run.waitCode)
  return {
    event: 'noExecutor' satisfies AlarmEvent,
    target: isGroup ? { kind: 'group', id: run.groupId, name: '' } : { kind: 'task', id: run.taskId, name: '' },
    groupId: run.groupId,
    at,
    key: isGroup ? `g${run.groupId}` : `t${run.taskId}`,
    facts: { reason, waitedMs },
  }
}

function nodeDown(node: NodeRow, at: number): Raised {
  return {
    event: 'nodeDown',
    target: { kind: 'node', id: node.run_id, name: node.name },
    groupId: null,
    at,
    key: `n${node.run_id}`,
    facts: { beatAt: node.beat_at, version: node.version },
  }
}
