import type { RouteAnswer } from '@tickwheel/contract'
import { id, slotOf, type Placed, type Scope, type Standing } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import { offlineExecutors, type OfflineExecutor } from '../store/executors.ts'
import { definitionOf, visibleTask } from '../store/tasks.ts'
import type { Chooser } from './chooser.ts'
import { firstTry } from './dispatcher.ts'
import { handlerName } from './roster.ts'

export interface RoutePreviewParts {
  readonly db: Database
  readonly chooser: Chooser
  readonly ownsSlot: (slot: number) => boolean
  readonly now: number
}

/** Who would get a run of a task if it came now with the task's own params. 404 `TASK_NOT_FOUND`. */
export async function previewTaskRoute(parts: RoutePreviewParts, taskId: number, scope: Scope): Promise<RouteAnswer> {
  const { task, definition, offline } = await parts.db.read(async (tx) => {
    const row = await visibleTask(tx, taskId, scope)
    return { task: row, definition: await definitionOf(tx, taskId, row.version), offline: await offlineExecutors(tx, row.group_id) }
  })
  if (definition === null) throw new Error(`task ${taskId} has no definition of its version ${task.version}`)
  const { route, placed } = parts.chooser.preview(
    firstTry({ taskId, groupId: task.group_id, definition, now: parts.now }),
    offline.map((executor) => standingOf(executor, handlerName(definition.handler))),
  )
  return {
    strategy: definition.routing,
    executorId: route.kind === 'to' ? route.executor.executorId : null,
    waitingFor: route.kind === 'to' ? null : { reason: route.reason, facts: route.facts },
    isDecidedHere: parts.ownsSlot(slotOf('task', taskId)),
    executors: placed.map(described),
  }
}

/** An executor that is not there: what it could do is known, and does not help. */
function standingOf({ id: executorId, name, capacity, labels, handlers }: OfflineExecutor, handler: string): Standing {
  return {
    executorId: id<'executor'>(executorId),
    name,
    running: 0,
    capacity,
    labels,
    isOnline: false,
    isDraining: false,
    isResting: false,
    knowsHandler: handlers.includes(handler),
    room: 0,
    isRoomComing: false,
  }
}

function described({ standing, place, obstacle, facts }: Placed): RouteAnswer['executors'][number] {
  const { executorId, name, running, capacity, labels } = standing
  return { executorId, name, place, obstacle, inFlight: running, capacity, labels: { ...labels }, facts: { ...facts } }
}
