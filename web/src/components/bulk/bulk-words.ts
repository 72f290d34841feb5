import type { Bulk, BULK_RUN_ACTIONS, BulkItem } from '@tickwheel/contract'
import type { LocationQueryRaw, RouteLocationRaw } from 'vue-router'
import { ApiProblem } from '../../api/problem.ts'
import { fieldWords, problemWords } from '../../locales/problem-words.ts'
import { t } from '../../locales/text.ts'
import type { ShownState } from '../run-state.ts'
import type { BulkAction, BulkKind } from './bulk-actions.ts'

/** `Stop 3 tasks`: the title of an operation, and what stands on the button that begins it. */
export function bulkTitle(kind: BulkKind, action: BulkAction, n: number): string {
  if (kind === 'instance') return isRunAction(action) ? t(`bulk.titles.instance.${action}`, { n }) : ''
  return isRunAction(action) ? '' : t(`bulk.titles.${kind}.${action}`, { n })
}

/** What will become of the things, in a sentence. */
export function bulkMeaning(kind: BulkKind, action: BulkAction): string {
  if (kind === 'instance') return isRunAction(action) ? t(`bulk.means.instance.${action}`) : ''
  return isRunAction(action) ? '' : t(`bulk.means.${kind}.${action}`)
}

function isRunAction(action: BulkAction): action is (typeof BULK_RUN_ACTIONS)[number] {
  return action === 'cancel' || action === 'retry'
}

/** Why an item failed, or waits: by its field where one is to blame. */
export function itemProblem({ problem }: Pick<BulkItem, 'problem'>): string {
  if (problem === null) return ''
  const [field] = problem.errors
  return field === undefined ? problemWords(new ApiProblem({ status: 0, ...problem })) : fieldWords(field)
}

/** Where the thing of an item is shown; null: nowhere, or it is gone. */
export function targetPlace(bulk: Pick<Bulk, 'kind' | 'action'>, { targetId, state, name }: BulkItem): RouteLocationRaw | null {
  if (name === '' || (bulk.action === 'delete' && state === 'done')) return null
  return { name: bulk.kind === 'instance' ? 'run' : bulk.kind, params: { id: targetId } }
}

/** The run that was made of an item. */
export function madePlace({ kind }: Pick<Bulk, 'kind'>, runId: number): RouteLocationRaw {
  return { name: kind === 'workflow' ? 'workflow-run' : 'run', params: { id: runId } }
}

/** The icon and colour of an item are those of a run in the same position. */
export function itemState(state: BulkItem['state']): ShownState {
  return state === 'done' ? 'succeeded' : state
}

export function bulkState(state: Bulk['state']): ShownState {
  return state === 'done' ? 'succeeded' : state
}

const QUERY_NAMES: Readonly<Record<string, string>> = {
  keyword: 'q', groupId: 'group', enabled: 'enabled', scheduleKind: 'schedule', handlerKind: 'handler', tag: 'tag', taskId: 'task', state: 'state', cause: 'cause', executorId: 'executor', from: 'from', to: 'to',
}

/** The list with the filter that an operation was begun with, as far as the console has such filters. */
export function filterPlace({ kind, filter }: Pick<Bulk, 'kind' | 'filter'>): RouteLocationRaw | null {
  if (filter === null) return null
  const query: LocationQueryRaw = {}
  for (const [name, value] of Object.entries(filter)) {
    const known = QUERY_NAMES[name]
    if (known !== undefined && (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')) query[known] = String(value)
  }
  return { name: kind === 'instance' ? 'runs' : `${kind}s`, query }
}

/** How much of an operation is settled, in percent. */
export function progressOf({ total, done, failed }: Pick<Bulk, 'total' | 'done' | 'failed'>): number {
  return total === 0 ? 0 : Math.floor(((done + failed) / total) * 100)
}
