import type { TaskDefinition } from '@tickwheel/contract'

/** Whether runs are split into shards by their definition. */
export function isSharded({ sharding }: Pick<TaskDefinition, 'sharding'>): boolean {
  return sharding !== undefined && sharding.kind !== 'none'
}

/** Why a task cannot be what a fan-out does for each item, and what to do. */
export function itemIsSharded(name: string): string {
  return `${name} is split into shards, and an item is not split again: turn its sharding off, or use a task without`
}
