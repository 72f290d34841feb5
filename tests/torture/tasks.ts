/** The tasks of the torture: many schedules, every policy, quick and slow runs, some that fail. Which, a seed decides. */
import { ROUTING_STRATEGIES, type ScheduleInput, type TaskCreate } from '@tickwheel/contract'
import type { Chance } from '../kit/chance.ts'

export type TaskBody = Omit<TaskCreate, 'groupId'>

export interface TaskMixOptions {
  readonly chance: Chance
  readonly count: number
  /** the file to which each start of a run writes a line */
  readonly notes: string
  /** when the tasks that are due once are due, epoch ms */
  readonly onceAt: readonly number[]
}

/** What a run does, for the handler of executor.fixture.ts. */
export interface Work {
  readonly lastsMs: number
  /** one attempt in so many fails; 0: none */
  readonly failsOneIn: number
}

export const WORK = 'work'

/** Of manual tasks there are four, of those due once as many as instants were given. */
export function taskMix({ chance, count, notes, onceAt }: TaskMixOptions): TaskBody[] {
  const named = (name: string, schedule: ScheduleInput): TaskBody => ({
    ...policies(chance),
    name,
    schedule,
    handler: { kind: 'named', name: WORK },
  })
  const scheduled = Array.from({ length: Math.max(0, count - 4 - onceAt.length) }, (_none, index) => {
    const schedule = scheduleMix(chance)
    return named(`${schedule.kind}-${String(index)}`, schedule)
  })
  return [
    ...scheduled.map((task, index) => (index % 20 === 7 ? slowed({ ...task, handler: shell(notes) }) : task)).map(withParams(chance)),
    ...onceAt.map((at, index) => named(`once-${String(index)}`, { kind: 'once', at: new Date(at).toISOString() })).map(withParams(chance)),
    // triggers of one task may queue behind each other: quick, so that the last one does not run long after all is stopped
    ...[0, 1, 2, 3].map((index) =>
      withWork(named(`manual-${String(index)}`, { kind: 'manual' }), { lastsMs: chance.between(0, 200), failsOneIn: 0 }),
    ),
  ]
}

/** Another schedule of the same sort: what a person changes a task to. */
export function otherSchedule(chance: Chance, schedule: ScheduleInput): ScheduleInput {
  if (schedule.kind === 'fixedDelay') return { kind: 'fixedDelay', delayMs: chance.between(3, 30) * 100 }
  return schedule.kind === 'cron' || schedule.kind === 'fixedRate' ? rateOrCron(chance) : schedule
}

function scheduleMix(chance: Chance): ScheduleInput {
  return chance.next() < 0.12 ? { kind: 'fixedDelay', delayMs: chance.between(3, 30) * 100 } : rateOrCron(chance)
}

const RATES = [700, 1000, 1500, 2500, 4000] as const
const CRONS = [
  { expression: '*/2 * * * * ?', timezone: 'UTC' },
  { expression: '1/3 * * * * ?', timezone: 'Asia/Kolkata' },
  { expression: '0/5 */2 * * * ?', timezone: 'Asia/Shanghai' },
  { expression: '1,4,9-11,30-50/7,58 * * * * ?', timezone: 'America/New_York' },
  { expression: '3/4 1-59/3,0-59/3 * * * ?', timezone: 'UTC' },
] as const

function rateOrCron(chance: Chance): ScheduleInput {
  const roll = chance.next()
  if (roll < 0.5) return { kind: 'cron', expression: '* * * * * ?', timezone: 'UTC' }
  return roll < 0.75
    ? { kind: 'fixedRate', everyMs: chance.pick<number>(RATES) }
    : { kind: 'cron', ...chance.pick<(typeof CRONS)[number]>(CRONS) }
}

function policies(chance: Chance): Pick<TaskCreate, 'overlap' | 'misfire' | 'retry' | 'routing' | 'priority'> {
  return {
    overlap: chance.pick<NonNullable<TaskCreate['overlap']>>([
      { policy: 'parallel' },
      { policy: 'skip' },
      { policy: 'queue', max: 3 },
      { policy: 'replace' },
    ]),
    misfire: chance.pick<NonNullable<TaskCreate['misfire']>>([
      { policy: 'fireOnce', graceMs: 0 },
      { policy: 'fireOnce', graceMs: 2000 },
      { policy: 'skip', graceMs: 1000 },
      { policy: 'fireAll', graceMs: 500, max: 3 },
      { policy: 'fireAll', graceMs: 60_000 },
    ]),
    retry: chance.pick<NonNullable<TaskCreate['retry']>>([{ max: 0 }, { max: 1, delayMs: 200 }, { max: 2, delayMs: 500 }]),
    routing: chance.pick(ROUTING_STRATEGIES),
    priority: chance.between(0, 10),
  }
}

function withParams(chance: Chance): (task: TaskBody) => TaskBody {
  return (task) => withWork(task, { lastsMs: lasts(chance), failsOneIn: chance.pick([0, 0, 0, 3, 5]) })
}

function withWork(task: TaskBody, work: Work): TaskBody {
  return { ...task, params: JSON.stringify(work) }
}

function lasts(chance: Chance): number {
  const roll = chance.next()
  if (roll < 0.7) return 0
  return roll < 0.9 ? chance.between(50, 400) : chance.between(200, 3000)
}

/** A process for each run costs this machine more than the rest of the run. */
function slowed(task: TaskBody): TaskBody {
  return task.schedule.kind === 'fixedDelay' ? task : { ...task, schedule: { kind: 'fixedRate', everyMs: 4000 } }
}

function shell(notes: string): TaskCreate['handler'] {
  return { kind: 'shell', script: `echo "$TICKWHEEL_INSTANCE_ID $TICKWHEEL_ATTEMPT shell" >> '${notes}'; sleep 0.1` }
}
