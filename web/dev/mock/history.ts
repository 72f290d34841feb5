/** What a mocked server tells of the past of a run or task: its decision trace, its log as it grows, the ledger, and why. */
import type { Executor, Instance, LedgerEntry, LogLine, Task, TraceEntry, WhyAnswer } from '@tickwheel/contract'
import { compileSchedule } from '@tickwheel/core'
import { toSchedule } from '../../src/components/schedule-words.ts'
import { iso, type World } from './world.ts'

/** A run of this task prints much; with `TICKWHEEL_MOCK_LINES` its log begins with that many lines. */
export const LOUD_TASK = 'export-to-lake'

export function traceOf(run: Instance): TraceEntry[] {
  const entries: (TraceEntry | null)[] = [
    run.cause === 'schedule' ? { at: run.firedAt, reason: 'fired', facts: { lateMs: 3 } } : { at: run.firedAt, reason: 'triggered', facts: { by: run.actor?.name ?? 'admin' } },
    run.queuedAt === null ? null : { at: run.queuedAt, reason: 'queued', facts: {} },
    run.waitingFor === null ? null : { at: run.queuedAt ?? run.firedAt, reason: run.waitingFor.reason, facts: run.waitingFor.facts },
    run.dispatchedAt === null ? null : { at: run.dispatchedAt, reason: 'chosen', facts: { strategy: 'roundRobin', executorId: run.executorId, executor: run.executorName, among: 2 } },
    run.dispatchedAt === null ? null : { at: run.dispatchedAt, reason: 'dispatched', facts: { attempt: run.attempt, executorId: run.executorId } },
    run.acceptedAt === null ? null : { at: run.acceptedAt, reason: 'accepted', facts: {} },
    run.startedAt === null ? null : { at: run.startedAt, reason: 'started', facts: {} },
    run.state === 'failed' && run.endedAt !== null ? { at: run.endedAt, reason: 'failed', facts: { code: run.error?.code ?? null } } : null,
    run.state === 'failed' && run.endedAt !== null ? { at: run.endedAt, reason: 'retriesExhausted', facts: { tries: 3, max: 3 } } : null,
    run.state === 'timedOut' && run.endedAt !== null ? { at: run.endedAt, reason: 'timedOut', facts: {} } : null,
    run.state === 'succeeded' && run.endedAt !== null ? { at: run.endedAt, reason: 'succeeded', facts: {} } : null,
    run.cancelRequestedAt === null ? null : { at: run.cancelRequestedAt, reason: 'cancelRequested', facts: { by: 'admin' } },
    run.state === 'canceled' && run.endedAt !== null ? { at: run.endedAt, reason: 'canceled', facts: { by: 'admin' } } : null,
  ]
  return entries.filter((entry) => entry !== null)
}

const WORDS = ['\u001b[32m✓\u001b[0m saved', 'reading page', '\u001b[1;34mGET\u001b[0m /api/orders', '订单同步完成', '\u001b[33mslow query\u001b[0m', 'flushed', '{"level":"info","rows":512}', '\u001b[38;5;208mretry\u001b[0m upstream']

export function makeLines(run: Instance, from: number, count: number, now: number): LogLine[] {
  return Array.from({ length: count }, (_, index): LogLine => {
    const number = from + index
    const isBad = number % 23 === 0
    return {
      seq: run.attempt * 2 ** 32 + number, at: iso(now - (count - index)), attempt: run.attempt, stream: isBad ? 'stderr' : number % 7 === 0 ? 'log' : 'stdout', level: isBad ? 'error' : number % 11 === 0 ? 'warn' : 'info',
      text: isBad ? `\u001b[31mERROR\u001b[0m order ${4000 + number} was refused by the bank: insufficient funds (code 51, attempt ${number % 5})` : `${WORDS[number % WORDS.length] ?? ''} ${number} in ${(number * 37) % 400} ms`,
    }
  })
}

/** Lets open runs print; answers with what each has printed now. */
export function print(world: World, now: number): Map<number, LogLine[]> {
  const printed = new Map<number, LogLine[]>()
  for (const run of world.runs.values()) {
    if (run.state !== 'running') continue
    const held = world.logs.get(run.id) ?? []
    const wanted = run.taskName === LOUD_TASK ? Number(process.env['TICKWHEEL_MOCK_LINES'] ?? 0) : 0
    while (held.length < wanted) held.push(...makeLines(run, held.length + 1, Math.min(10_000, wanted - held.length), now))
    const lines = makeLines(run, held.length + 1, run.taskName === LOUD_TASK ? 400 : 2, now)
    held.push(...lines)
    world.logs.set(run.id, held)
    printed.set(run.id, lines)
  }
  return printed
}

export function ledgerOf(world: World, task: Task): LedgerEntry[] {
  const fired = [...world.runs.values()].filter((run) => run.taskId === task.id && run.scheduledAt !== null).map((run): LedgerEntry => ({ kind: 'fired', dueAt: run.scheduledAt ?? run.firedAt, instanceId: run.id, taskVersion: run.taskVersion }))
  const hour = 3_600_000
  const skips: LedgerEntry[] = [
    { kind: 'skipped', fromAt: iso(world.now - 7 * hour), toAt: iso(world.now - 5 * hour), count: 8, reason: 'misfire', facts: { policy: 'fireOnce', lateMs: 2 * hour }, instanceId: null, decidedAt: iso(world.now - 5 * hour + 2_000) },
    { kind: 'skipped', fromAt: iso(world.now - 9 * hour), toAt: iso(world.now - 9 * hour), count: 1, reason: 'overlap', facts: { blocker: 7_300_017 }, instanceId: null, decidedAt: iso(world.now - 9 * hour) },
    { kind: 'folded', fromAt: iso(world.now - 26 * hour), toAt: iso(world.now - 25 * hour), count: 720 },
  ]
  const at = (entry: LedgerEntry) => Date.parse(entry.kind === 'fired' ? entry.dueAt : entry.toAt)
  return [...fired, ...skips].sort((a, b) => at(b) - at(a))
}

export function whyOf(world: World, task: Task, at: string): WhyAnswer {
  const atMs = Date.parse(at)
  const compilation = compileSchedule(toSchedule(task.schedule), { anchorAt: Date.parse(task.createdAt) })
  const next = compilation.ok ? compilation.compiled.next(atMs) : null
  const entry = ledgerOf(world, task).find((one) => (one.kind === 'fired' ? Math.abs(Date.parse(one.dueAt) - atMs) < 1_000 : Date.parse(one.fromAt) <= atMs && Date.parse(one.toAt) >= atMs)) ?? null
  const verdict = entry !== null ? entry.kind : atMs < Date.parse(task.createdAt) ? 'beforeTask' : !task.enabled ? 'paused' : atMs > world.now ? 'notYet' : 'notDue'
  return { at, verdict, entry, run: entry?.kind === 'fired' ? { firedAt: entry.dueAt, lateMs: 12, attempts: 1 } : null, taskVersion: task.version, schedule: task.schedule, previousDueAt: iso(atMs - 900_000), nextDueAt: next === null ? null : iso(next), facts: {} }
}

/** Executors as they are told: with what runs on them now. */
export function executorNow(world: World, executor: Executor): Executor {
  if (executor.state === 'offline') return executor
  const running = [...world.runs.values()].filter((run) => run.executorId === executor.id && run.state === 'running').map((run) => ({ instanceId: run.id, attempt: run.attempt, taskId: run.taskId, taskName: run.taskName, since: run.startedAt }))
  const load = { cpu: 0.18 + 0.12 * Math.sin(world.now / 9_000 + executor.id), memory: 90e6 + executor.id * 17e6, running: running.length, queued: 0 }
  return { ...executor, inFlight: running.length, running, load, seenAt: iso(world.now - (world.now % 5_000)) }
}
