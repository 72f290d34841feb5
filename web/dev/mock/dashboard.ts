import type { Attention, Dashboard, DashboardHour } from '@tickwheel/contract'
import { completenessOf } from './completeness.ts'
import type { MockRequest } from './answer.ts'
import { iso, type World } from './world.ts'

const HOUR = 3_600_000
const MINUTE = 60_000

/** The dashboard of a world, roughly: what is told of it hangs together, and says the same for the same instant. */
export function dashboardOf(world: World, { query }: MockRequest): Dashboard {
  const count = Number(query.get('hours') ?? 24)
  const groupId = query.get('groupId') === null ? null : Number(query.get('groupId'))
  const from = Math.floor(world.now / HOUR) * HOUR - (count - 1) * HOUR
  const isNew = world.ledger === 'new'
  const may = (permission: string) => world.permissions === null || world.permissions.includes(permission)
  const hours = Array.from({ length: count }, (_none, index) => hourOf(from + index * HOUR, index, isNew))
  const sum = (of: (hour: DashboardHour) => number) => hours.reduce((total, hour) => total + of(hour), 0)
  const executors = [...world.executors.values()].filter((one) => groupId === null || one.groupId === groupId)
  const groups = [...world.groups.values()].filter((one) => groupId === null || one.id === groupId)
  const tasks = [...world.tasks.values()].filter((task) => task.enabled && (groupId === null || task.groupId === groupId))
  const ledger = completenessOf(world)
  const load = groups.map((group) => {
    const own = executors.filter((one) => one.groupId === group.id)
    const online = own.filter((one) => one.state !== 'offline')
    return {
      groupId: group.id, groupName: group.name, online: online.length, draining: own.filter((one) => one.state === 'draining').length, offline: own.length - online.length,
      slots: online.reduce((total, one) => total + one.capacity, 0), used: online.length * (group.id === 3 ? 16 : 5), waiting: group.id === 3 && !isNew ? 12 : 0,
    }
  })
  const total = (key: 'online' | 'draining' | 'offline' | 'slots' | 'used' | 'waiting') => load.reduce((all, group) => all + group[key], 0)
  const minutes = Array.from({ length: 60 }, (_none, minute) => (tasks.length === 0 ? 0 : 12 + (minute % 15 === 0 ? 30 : 0) + ((minute * 7) % 5)))
  return {
    at: iso(world.now), from: iso(from), isEmpty: world.tasks.size === 0 && world.workflows.size === 0,
    hours: may('instance:view') ? hours : null,
    outcomes: may('instance:view') ? { succeeded: sum((hour) => hour.succeeded), failed: sum((hour) => hour.failed), timedOut: sum((hour) => hour.timedOut), canceled: sum((hour) => hour.canceled), lost: sum((hour) => hour.lost), skipped: 0 } : null,
    lateness: may('instance:view') ? { starts: sum((hour) => hour.starts), p50Ms: isNew ? null : 14, p99Ms: isNew ? null : 812 } : null,
    executors: may('executor:view') ? { online: total('online'), draining: total('draining'), offline: total('offline'), slots: total('slots'), used: total('used'), waiting: total('waiting'), groups: load.sort((a, b) => b.waiting - a.waiting), busiest: executors.filter((one) => one.state !== 'offline').map((one) => ({ id: one.id, name: one.name, groupId: one.groupId, groupName: one.groupName, isDraining: one.state === 'draining', slots: one.capacity, used: one.groupId === 3 ? 16 : 5 })) } : null,
    coming: may('task:view')
      ? {
          from: iso(Math.floor(world.now / MINUTE) * MINUTE), minutes, total: minutes.reduce((all, n) => all + n, 0), isCut: false,
          first: tasks.slice(0, 10).map((task, index) => ({ at: iso(world.now + 2_000 + index * 9_000), id: task.id, name: task.name, groupId: task.groupId, isWorkflow: false })),
        }
      : null,
    attention: { items: isNew ? [] : attentionOf(world).filter((item) => groupId === null || item.groupId === groupId), isCut: false },
    completeness: may('task:view') ? { figures: ledger.total, reckonedUntil: ledger.reckonedUntil, lagMs: ledger.lagMs } : null,
    ...(world.permissions === null ? {} : { hidden: (['outcomes', 'lateness', 'executors', 'coming', 'completeness'] as const).filter((_part, index) => !may((['instance:view', 'instance:view', 'executor:view', 'task:view', 'task:view'] as const)[index] ?? '')) }),
  }
}

function hourOf(at: number, index: number, isNew: boolean): DashboardHour {
  if (isNew) return { hourAt: iso(at), succeeded: 0, failed: 0, timedOut: 0, canceled: 0, lost: 0, skipped: 0, starts: 0, p50Ms: null, p99Ms: null }
  const succeeded = 180 + ((index * 37) % 90)
  const failed = index % 7 === 3 ? 14 : index % 3
  return { hourAt: iso(at), succeeded, failed, timedOut: index % 9 === 4 ? 3 : 0, canceled: index % 11 === 0 ? 2 : 0, lost: index === 17 ? 6 : 0, skipped: 0, starts: succeeded, p50Ms: 12 + (index % 5), p99Ms: index === 17 ? 42_000 : 300 + ((index * 53) % 700) }
}

function attentionOf(world: World): Attention[] {
  const [first, second, third] = world.tasks.values()
  if (first === undefined || second === undefined || third === undefined) return []
  const of = (task: typeof first) => ({ id: task.id, name: task.name, groupId: task.groupId, groupName: world.groups.get(task.groupId)?.name ?? '', isWorkflow: false })
  return [
    ...(world.ledger === 'broken' ? [{ ...of(first), kind: 'finding' as const, level: 'broken' as const, n: 3, at: iso(world.now - 4 * HOUR), facts: { finding: 'missing', dueAt: iso(world.now - 4 * HOUR) } }] : []),
    { ...of(second), kind: 'failing', level: 'broken', n: 4, at: iso(world.now - 9 * MINUTE), facts: { runId: 7_300_001, code: 'EXIT_CODE' } },
    { ...of(third), kind: 'paused', level: 'broken', n: 3, at: iso(world.now - 50 * MINUTE), facts: {} },
    { kind: 'channel', level: 'broken', id: 5, name: '运维群', groupId: null, groupName: '', isWorkflow: false, n: 2, at: null, facts: {} },
    { kind: 'waiting', level: 'late', id: null, name: '', groupId: 3, groupName: world.groups.get(3)?.name ?? '', isWorkflow: false, n: 12, at: iso(world.now - 3 * MINUTE), facts: { reason: 'waitsForSlot', facts: { group: world.groups.get(3)?.name ?? '', used: 16, capacity: 16, executors: 1 } } },
    { kind: 'executorsGone', level: 'full', id: null, name: 'etl-b', groupId: 3, groupName: world.groups.get(3)?.name ?? '', isWorkflow: false, n: 1, at: iso(world.now - 20 * MINUTE), facts: { isNoneLeft: false } },
  ]
}
