import type { Completeness, CompletenessFigures, LedgerFinding, RecoveryReport } from '@tickwheel/contract'
import { iso, type World } from './world.ts'

const HOUR = 3_600_000

function figures(fired: number, overlap: number, missing = 0, doubled = 0): CompletenessFigures {
  const reasons: Record<string, number> = overlap === 0 ? {} : { overlap }
  return { expected: fired + overlap + missing, fired, skipped: overlap, missing, doubled, reasons }
}

const sum = (all: readonly CompletenessFigures[]): CompletenessFigures => {
  const of = (key: 'fired' | 'skipped' | 'missing' | 'doubled') => all.reduce((total, one) => total + one[key], 0)
  return figures(of('fired'), of('skipped'), of('missing'), of('doubled'))
}

export function completenessOf(world: World): Completeness {
  const begin = Math.floor(world.now / HOUR) * HOUR - 23 * HOUR
  const isBroken = world.ledger === 'broken'
  const rows = world.ledger === 'new' ? [] : Array.from({ length: 24 }, (_none, index) => ({ hourAt: iso(begin + index * HOUR), ...figures(60 + ((index * 7) % 23), index % 5, isBroken && index === 20 ? 3 : 0, isBroken && index === 20 ? 1 : 0) }))
  const total = sum(rows)
  const groups = [...world.groups.values()].slice(0, 3)
  return {
    from: iso(begin), to: iso(begin + 24 * HOUR), since: null, reckonedUntil: world.ledger === 'new' ? null : iso(world.now - 31_000), lagMs: world.ledger === 'new' ? null : 31_000, total, hours: rows,
    groups: world.ledger === 'new' ? [] : groups.map((group, index) => ({ groupId: group.id, groupName: group.name, ...(index === 0 ? total : figures(12 * index, index)) })),
  }
}

export function findingsOf(world: World): LedgerFinding[] {
  if (world.ledger !== 'broken') return []
  const [task] = world.tasks.values()
  const common = { taskId: task?.id ?? 1, taskName: task?.name ?? '', isWorkflow: false, groupId: task?.groupId ?? 1, facts: {} }
  return [
    { ...common, kind: 'missing', fromAt: iso(world.now - 4 * HOUR), toAt: iso(world.now - 4 * HOUR + 120_000), n: 3, foundAt: iso(world.now - 4 * HOUR + 150_000), goneAt: null },
    { ...common, kind: 'overdue', fromAt: iso(world.now - 9 * HOUR), toAt: iso(world.now - 9 * HOUR), n: 1, foundAt: iso(world.now - 9 * HOUR + 180_000), goneAt: iso(world.now - 8.5 * HOUR) },
  ]
}

export function recoveriesOf(world: World): RecoveryReport[] {
  if (world.ledger === 'new') return []
  const [fromAt, toAt] = [world.now - 30 * HOUR, world.now - 29.2 * HOUR]
  const tasks = [...world.tasks.values()].slice(0, 3)
  const policies = ['fireOnce', 'skip', ''] as const
  return [
    {
      id: 1, fromAt: iso(fromAt), toAt: iso(toAt), settledAt: iso(toAt + 900), madeUp: 4, skipped: 94, isCut: false,
      groups: [{ groupId: 1, groupName: 'default', madeUp: 4, skipped: 94 }],
      tasks: tasks.map((task, index) => ({
        taskId: task.id, taskName: task.name, groupId: task.groupId, isWorkflow: false, policy: policies[index] ?? '', madeUp: index === 1 ? 0 : index + 1, skipped: index === 2 ? 0 : 47, firstAt: iso(fromAt), lastAt: iso(toAt - 30_000),
      })),
    },
  ]
}
