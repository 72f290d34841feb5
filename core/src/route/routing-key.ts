import type { TaskId } from '../ids.ts'
import type { RouteKey } from './rank.ts'

/** `params.` and a path of at most 8 names or positions, each of letters, digits, `_` and `-`. */
const PATH = /^params(?:\.[A-Za-z0-9_-]{1,64}){1,8}$/

/** The names of a routing key's path, without `params`; null when it is not one. */
export function parseRoutingKey(routingKey: string): readonly string[] | null {
  return PATH.test(routingKey) ? routingKey.split('.').slice(1) : null
}

/**
 * What `consistentHash` hashes for a run: the value at the path in its params, so that runs of several tasks with one value meet at one executor; the task
 * itself when `routingKey` is empty, and for a run whose params are not JSON or have nothing there.
 */
export function routeKey({ taskId, routingKey, params }: { taskId: TaskId; routingKey: string; params: string }): RouteKey {
  const own: RouteKey = { text: `task:${taskId}`, source: 'task' }
  const path = routingKey === '' ? null : parseRoutingKey(routingKey)
  if (path === null) return own
  const value = path.reduce<unknown>(valueAt, parse(params))
  return value === undefined || value === null ? own : { text: `value:${textOf(value)}`, source: routingKey }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function valueAt(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
