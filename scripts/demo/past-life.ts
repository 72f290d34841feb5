import type { Random } from '@tickwheel/core'
import type { Engine } from '../../server/src/engine/engine.ts'
import { EXECUTORS, type DemoExecutor } from './company.ts'
import type { Founding } from './founding.ts'
import type { PastExecutors } from './past-executors.ts'
import { demoTasks } from './tasks.ts'
import { WORKFLOWS } from './workflows.ts'

/** Something that people or machines do in the played past. */
export interface Happening {
  /** epoch ms */
  readonly at: number
  readonly happen: () => Promise<void>
  /** the server is away from then until this instant */
  readonly awayUntil?: number
  /** nothing else happens for so long afterwards: until executors that say nothing are given up */
  readonly silentMs?: number
}

export interface LifeParts {
  readonly engine: Engine
  readonly executors: PastExecutors
  readonly founding: Founding
  readonly random: Random
  readonly startAt: number
  readonly endAt: number
  readonly days: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** The server was away, and a group had no executor: days ago, and for how long. */
const SERVER_AWAY = { daysAgo: 9.3, forMs: 37 * MINUTE_MS }
const GROUP_AWAY = { app: 'data-platform', daysAgo: 4.1, forMs: 22 * MINUTE_MS }
const RELEASE_EVERY_MS = 3.5 * DAY_MS
const APPROVED_AFTER_MS = 25 * MINUTE_MS
/** longer than an executor may say nothing */
const GIVEN_UP_MS = 40_000
const BY_HAND_EVERY_MS = 7 * HOUR_MS

/** What happens beside the schedules: tasks are made and changed, somebody starts one by hand, machines fail. In no order. */
export function lifeOf(parts: LifeParts): Happening[] {
  return [...newTasks(parts), ...changes(parts), ...byHand(parts), ...releases(parts), ...trouble(parts)].filter(
    ({ at }) => at > parts.startAt && at < parts.endAt,
  )
}

function newTasks({ founding, engine, endAt, days }: LifeParts): Happening[] {
  return demoTasks(founding.url)
    .filter(({ daysOld }) => daysOld !== undefined && daysOld < days)
    .map((one) => ({ at: endAt - (one.daysOld ?? 0) * DAY_MS, happen: () => founding.makeTask(engine, one) }))
}

function changes({ founding, engine, endAt }: LifeParts): Happening[] {
  const edit = (daysAgo: number, who: string, name: string, change: Parameters<Founding['editTask']>[3]): Happening => ({
    at: endAt - daysAgo * DAY_MS,
    happen: () => founding.editTask(engine, who, name, change),
  })
  return [
    edit(21, 'chen.jing', '数据库每日备份', { timeoutMs: 7_200_000 }),
    edit(12, 'wang.lei', '数据库每日备份', { retry: { max: 5, delayMs: 60_000 }, timeoutMs: 7_200_000 }),
    edit(8, 'wang.lei', '用户画像打分', { retry: { max: 2, delayMs: 5_000 } }),
    {
      at: endAt - 6 * DAY_MS,
      happen: () => engine.stopTask(founding.taskIdOf('newsletter'), { cancelRunning: false }, 'all', founding.callerOf('li.na')),
    },
    {
      at: endAt - 2 * DAY_MS,
      // one is not there any more
      happen: async () => {
        const ids = [...['weekly sales report', 'import ad spend', 'newsletter'].map((name) => founding.taskIdOf(name)), 999_999]
        await engine.startBulk({ kind: 'task', action: 'trigger', ids }, null, 'all', founding.callerOf('li.na'))
      },
    },
    { at: endAt - 5 * DAY_MS, happen: () => engine.startTask(founding.taskIdOf('newsletter'), 'all', founding.callerOf('li.na')) },
  ]
}

function byHand({ founding, engine, random, startAt, endAt }: LifeParts): Happening[] {
  const names = ['刷新 CDN 缓存', '数据库每日备份', 'weekly sales report', '重建商品搜索索引（全量）', 'import ad spend']
  const people = ['li.na', 'wang.lei', 'chen.jing']
  const happenings: Happening[] = []
  for (let at = startAt + HOUR_MS; at < endAt - HOUR_MS; at += BY_HAND_EVERY_MS * (0.3 + random.next())) {
    const name = pick(names, random)
    const caller = founding.callerOf(pick(people, random))
    const isCanceled = name.startsWith('重建') && random.next() < 0.4
    happenings.push({
      at,
      happen: async () => {
        const { instanceId } = await engine.trigger(founding.taskIdOf(name), {}, null, 'all', caller)
        founding.lastByHand = instanceId
      },
    })
    if (isCanceled)
      happenings.push({
        at: at + 6 * MINUTE_MS,
        // it may have ended by itself
        happen: () => engine.cancelInstance(founding.lastByHand, 'all', caller).catch(() => undefined),
      })
  }
  return happenings
}

function releases({ founding, engine, random, startAt, endAt }: LifeParts): Happening[] {
  const happenings: Happening[] = []
  for (let at = startAt + DAY_MS; at < endAt - DAY_MS; at += RELEASE_EVERY_MS) {
    let runId = 0
    const decision = random.next() < 0.8 ? 'approved' : 'rejected'
    const version = `2026.${String(40 + happenings.length)}.1`
    const name = WORKFLOWS[1]?.workflow.name ?? ''
    happenings.push(
      {
        at,
        happen: async () => {
          runId = (
            await engine.triggerWorkflow(founding.workflowIdOf(name), { params: { version } }, null, 'all', founding.callerOf('wang.lei'))
          ).workflowRunId
        },
      },
      {
        at: at + APPROVED_AFTER_MS,
        // its tests may have failed
        happen: () =>
          engine
            .decideStep(
              runId,
              'approve',
              { decision, comment: decision === 'approved' ? 'looks good' : '周五不发版' },
              'all',
              founding.callerOf('chen.jing'),
            )
            .catch(() => undefined),
      },
    )
  }
  return happenings
}

function trouble({ engine, executors, founding, endAt }: LifeParts): Happening[] {
  // in the middle of a run, which is lost
  const leaving = (at: number, one: DemoExecutor): Happening[] => [
    {
      at: at - MINUTE_MS,
      happen: async () => void (await engine.trigger(founding.taskIdOf('settlement'), {}, null, 'all', founding.callerOf('chen.jing'))),
    },
    { at, happen: async () => executors.vanish(one), silentMs: GIVEN_UP_MS },
  ]
  const awayAt = endAt - SERVER_AWAY.daysAgo * DAY_MS
  const groupAwayAt = endAt - GROUP_AWAY.daysAgo * DAY_MS
  const group = EXECUTORS.filter(({ app }) => app === GROUP_AWAY.app)
  const back = async (): Promise<void> => {
    for (const one of group) await executors.join(one, founding.groupIdOf(one.app), founding.handlersOf(one.app))
  }
  return [
    { at: awayAt, happen: async () => undefined, awayUntil: awayAt + SERVER_AWAY.forMs },
    { at: groupAwayAt, happen: async () => group.forEach((one) => executors.vanish(one)), silentMs: GIVEN_UP_MS },
    { at: groupAwayAt + GROUP_AWAY.forMs, happen: back },
    ...EXECUTORS.flatMap((one) => (one.leftDaysAgo === undefined ? [] : leaving(endAt - one.leftDaysAgo * DAY_MS, one))),
  ]
}

function pick<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random.next() * items.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}
