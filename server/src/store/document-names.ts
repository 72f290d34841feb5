import { DOCUMENT_LIMITS, type ApplyAnswer } from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { query, type ReadTx } from './database.ts'
import { nameKey } from './definition.ts'
import { partsOf } from './list.ts'
import { keyOf } from './scheduled.ts'
import { TASK, WORKFLOW, type ScheduledKind } from './scheduled-kind.ts'
import { isVisible } from './scope.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'
import { pathKey } from './workflow-refs.ts'

/* What a document names, found in the store by its names. */

export interface NamedGroup {
  readonly id: number
  readonly name: string
  readonly appName: string
  readonly description: string
  readonly concurrency: number
  readonly version: number
}

export interface NamedThing {
  readonly id: number
  readonly groupId: number
  readonly version: number
  readonly isEnabled: boolean
}

const NAMES_AT_ONCE = 500

/** Groups by `nameKey`, whoever may see them. */
export async function groupsNamed(tx: ReadTx, names: readonly string[]): Promise<Map<string, NamedGroup>> {
  const groups = new Map<string, NamedGroup>()
  for (const part of partsOf([...new Set(names.map(nameKey))], NAMES_AT_ONCE)) {
    const rows = await tx.rows(query.selectFrom('task_group').selectAll().where('name_key', 'in', part))
    for (const { id, name, name_key, app_name: appName, description, concurrency, version } of rows)
      groups.set(name_key, { id, name, appName, description, concurrency: concurrency ?? 0, version })
  }
  return groups
}

/** Tasks, or workflows, by `pathKey` of the "group/name" that they were looked for by. */
export async function thingsNamed(
  tx: ReadTx,
  kind: ScheduledKind,
  wanted: readonly { readonly groupId: number; readonly path: string }[],
): Promise<Map<string, NamedThing>> {
  const things = new Map<string, NamedThing>()
  for (const [groupId, inGroup] of Map.groupBy(wanted, (one) => one.groupId)) {
    const paths = new Map(inGroup.map(({ path }) => [keyOf(kind, path.split('/')[1] ?? ''), pathKey(path)]))
    for (const part of partsOf([...paths.keys()], NAMES_AT_ONCE)) {
      const rows = await tx.rows(
        query
          .selectFrom('task')
          .select(['id', 'version', 'enabled', 'name_key'])
          .where('group_id', '=', groupId)
          .where('name_key', 'in', part),
      )
      for (const { id, version, enabled, name_key } of rows) {
        const path = paths.get(name_key ?? '')
        if (path !== undefined) things.set(path, { id, groupId, version, isEnabled: enabled === 1 })
      }
    }
  }
  return things
}

/** What is in groups and was not named, as far as the caller may see it: how much of it, and the first of it. `named`: ids, each with its group. */
export async function untouchedIn(
  tx: ReadTx,
  {
    groups,
    named,
    scopes,
  }: {
    groups: ReadonlyMap<number, string>
    named: ReadonlyMap<number, number>
    scopes: Readonly<Record<'task' | 'workflow', Scope>>
  },
): Promise<{ readonly total: number; readonly things: ApplyAnswer['untouched'] }> {
  const things: ApplyAnswer['untouched'] = []
  let total = 0
  for (const [groupId, group] of groups) {
    const kinds = [TASK, WORKFLOW].filter(({ noun }) => isVisible(scopes[noun], groupId))
    for (const kind of kinds) {
      const living = query.selectFrom('task').where('group_id', '=', groupId).where('deleted_at', 'is', null)
      const ofKind = living.where('handler_kind', kind === WORKFLOW ? '=' : '<>', WORKFLOW_KIND)
      const count = await tx.first(ofKind.select((of) => of.fn.countAll<number>().as('n')))
      if (count === null || count.n === 0) continue
      const rows = await tx.rows(
        ofKind
          .select(['id', 'name'])
          .orderBy('id')
          .limit(DOCUMENT_LIMITS.items + DOCUMENT_LIMITS.untouched),
      )
      const left = rows.filter(({ id }) => !named.has(id))
      total += count.n - (rows.length - left.length)
      const room = DOCUMENT_LIMITS.untouched - things.length
      things.push(...left.slice(0, room).map(({ id, name }) => ({ kind: kind.noun, id, key: `${group}/${name}` })))
    }
  }
  return { total, things }
}
