import type { Dispatch, MapEnd, MapFrame, MappedShard, RunningAttempt } from '@tickwheel/contract'

const PER_FRAME = 3

/** A part of the tasks is split by its handler, unless their settings do it. */
function isMapTask({ task, shard, reduce }: Dispatch): boolean {
  return task.id % 3 === 0 && shard === undefined && reduce === undefined
}

/** How many items a run of such a task has. */
export function itemsIn(instanceId: number): number {
  return instanceId % 8
}

/** The key of an item tells which attempt has split it off: what is left of another would be seen. */
export function mapKey({ instanceId, attempt }: RunningAttempt, index: number): string {
  return `${instanceId}/${attempt}/${index}`
}

/** What the end of an attempt says of it; null: it has split nothing. */
export function mapOf(dispatch: Dispatch): MapEnd | null {
  if (!isMapTask(dispatch)) return null
  const end = { shards: itemsIn(dispatch.instanceId), reduce: Math.floor(dispatch.instanceId / 8) % 2 === 0 }
  return end.shards > 0 || end.reduce ? end : null
}

export function mapFramesOf(dispatch: Dispatch): Omit<MapFrame, 'n'>[] {
  const { instanceId, attempt, bootId } = dispatch
  const shards = Array.from({ length: mapOf(dispatch)?.shards ?? 0 }, (_, index): MappedShard => ({
    key: mapKey(dispatch, index),
    items: [index],
  }))
  return Array.from({ length: Math.ceil(shards.length / PER_FRAME) }, (_, place) => ({
    type: 'map',
    instanceId,
    attempt,
    bootId,
    seq: place + 1,
    shards: shards.slice(place * PER_FRAME, (place + 1) * PER_FRAME),
  }))
}
