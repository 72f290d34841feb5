import {
  AppError,
  DOCUMENT_FORM,
  DOCUMENT_LIMITS,
  TASK_DEFAULTS,
  type DocumentCalendar,
  type DocumentGroup,
  type DocumentTask,
  type DocumentWorkflow,
  type TickwheelDocument,
} from '@tickwheel/contract'
import type { Scope } from '@tickwheel/core'
import { query, type Database, type ReadTx } from './database.ts'
import { rulesAt } from './calendars.ts'
import { DocumentCalendars } from './document-calendars.ts'
import { documentTooLarge } from './document-items.ts'
import { groupsNamed } from './document-names.ts'
import { nameKey } from './definition.ts'
import { partsOf } from './list.ts'
import { kindOfRow, WORKFLOW } from './scheduled-kind.ts'
import { isVisible } from './scope.ts'
import type { GroupRow, TaskRow } from './schema.ts'
import { definitionOf } from './tasks.ts'
import { withPresentNames } from './workflow-refs.ts'
import { readWorkflow } from './workflow-versions.ts'

export interface ExportWish {
  /** of groups; null: all of the scope */
  readonly names: readonly string[] | null
  /** the groups that the caller may export */
  readonly scope: Scope
  /** the groups that the caller may see */
  readonly visible: Scope
  /** throws for a group that is visible and may not be exported */
  readonly refuse: (groupId: number) => never
}

/**
 * Groups with their tasks and workflows, sorted by name, each without what it has by default: applied to another installation and exported there, the document is
 * the same. 404 `GROUP_NOT_FOUND` for a name that is not there for the caller; 422 `DOCUMENT_TOO_LARGE` beyond what can be applied at once, never a part.
 */
export async function exportDocument(db: Database, wish: ExportWish): Promise<TickwheelDocument> {
  return db.read(async (tx) => {
    const groups = await groupsOf(tx, wish)
    const rows = await rowsIn(tx, groups)
    const known = await DocumentCalendars.read(tx)
    const names = new Map(groups.map(({ id, name }) => [id, name]))
    const tasks: DocumentTask[] = []
    const workflows: DocumentWorkflow[] = []
    let characters = 0
    for (const row of rows) {
      const group = names.get(row.group_id) ?? ''
      const thing = kindOfRow(row) === WORKFLOW ? await workflowOf(tx, row, { group, known }) : await taskOf(tx, row, { group, known })
      characters += JSON.stringify(thing).length
      if (characters > DOCUMENT_LIMITS.bytes) throw documentTooLarge()
      if ('steps' in thing) workflows.push(thing)
      else tasks.push(thing)
    }
    const calendars = await calendarsOf(tx, { known, groups: names, used: wish.names === null ? null : usedBy([...tasks, ...workflows]) })
    if (groups.length + rows.length + calendars.length > DOCUMENT_LIMITS.items) throw documentTooLarge()
    return {
      tickwheel: DOCUMENT_FORM,
      groups: groups.map(documentGroup),
      ...(calendars.length === 0 ? {} : { calendars }),
      ...(tasks.length === 0 ? {} : { tasks }),
      ...(workflows.length === 0 ? {} : { workflows }),
    }
  })
}

type Group = Pick<GroupRow, 'id' | 'name' | 'name_key' | 'app_name' | 'description' | 'concurrency'>
type Row = Pick<TaskRow, 'id' | 'group_id' | 'version' | 'enabled' | 'handler_kind' | 'name_key'>

const COLUMNS_OF_GROUP = ['id', 'name', 'name_key', 'app_name', 'description', 'concurrency'] as const
const AT_ONCE = 500

async function groupsOf(tx: ReadTx, { names, scope, visible, refuse }: ExportWish): Promise<Group[]> {
  if (names === null) return groupsIn(tx, scope)
  const known = await groupsNamed(tx, names)
  const ids = names.map((name) => {
    const group = known.get(nameKey(name))
    if (group === undefined || !isVisible(visible, group.id))
      throw new AppError('GROUP_NOT_FOUND', `There is no group "${name}" that you may see.`)
    return isVisible(scope, group.id) ? group.id : refuse(group.id)
  })
  return groupsIn(tx, ids)
}

async function groupsIn(tx: ReadTx, scope: Scope | readonly number[]): Promise<Group[]> {
  const all = query
    .selectFrom('task_group')
    .select(COLUMNS_OF_GROUP)
    .limit(DOCUMENT_LIMITS.items + 1)
  const found: Group[] = []
  if (scope === 'all') found.push(...(await tx.rows(all)))
  else for (const part of partsOf(scope, AT_ONCE)) found.push(...(await tx.rows(all.where('id', 'in', part))))
  if (found.length > DOCUMENT_LIMITS.items) throw documentTooLarge()
  return found.toSorted((one, other) => compare(one.name_key, other.name_key))
}

/** Tasks and workflows of groups, by group and name. */
async function rowsIn(tx: ReadTx, groups: readonly Group[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const { id } of groups) {
    const living = query.selectFrom('task').select(['id', 'group_id', 'version', 'enabled', 'handler_kind', 'name_key'])
    const inGroup = await tx.rows(
      living
        .where('group_id', '=', id)
        .where('deleted_at', 'is', null)
        .limit(DOCUMENT_LIMITS.items + 1),
    )
    rows.push(...inGroup.toSorted((one, other) => compare(one.name_key ?? '', other.name_key ?? '')))
    if (groups.length + rows.length > DOCUMENT_LIMITS.items) throw documentTooLarge()
  }
  return rows
}

/** The same everywhere: databases sort by rules of their own. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function documentGroup({ name, app_name: appName, description, concurrency }: Group): DocumentGroup {
  return { name, appName, ...(description === '' ? {} : { description }), concurrency: concurrency ?? 0 }
}

/** Calendars of groups; of those of all groups what schedules of the document use, or all. */
async function calendarsOf(
  tx: ReadTx,
  { known, groups, used }: { known: DocumentCalendars; groups: ReadonlyMap<number, string>; used: ReadonlySet<string> | null },
): Promise<DocumentCalendar[]> {
  const calendars: DocumentCalendar[] = []
  for (const { row, name } of known.of(new Set(groups.keys()))) {
    const group = groups.get(row.group_id)
    if (group === undefined && used !== null && !used.has(name)) continue
    const description = row.description === '' ? {} : { description: row.description }
    calendars.push({ ...(group === undefined ? {} : { group }), name: row.name, ...description, rules: await rulesAt(tx, row) })
  }
  return calendars
}

function usedBy(things: readonly (DocumentTask | DocumentWorkflow)[]): ReadonlySet<string> {
  return new Set(things.flatMap(({ schedule }) => ('calendar' in schedule ? (schedule.calendar ?? []) : [])))
}

interface Home {
  readonly group: string
  readonly known: DocumentCalendars
}

async function taskOf(tx: ReadTx, row: Row, { group, known }: Home): Promise<DocumentTask> {
  const definition = await definitionOf(tx, row.id, row.version)
  if (definition === null || 'flow' in definition) throw new Error(`task ${row.id} has no definition of its version ${row.version}`)
  const { name, description, notes, owner, tags, schedule, handler, params, ...rest } = definition
  const ordered = { description, owner, tags, notes }
  return {
    group,
    name,
    ...withoutDefaults(ordered),
    schedule: known.toDocument(schedule),
    handler,
    ...withoutDefaults({ params, ...rest }),
    enabled: row.enabled === 1,
  }
}

async function workflowOf(tx: ReadTx, row: Row, { group, known }: Home): Promise<DocumentWorkflow> {
  const read = await readWorkflow(tx, row.id, row.version)
  if (read === null) throw new Error(`workflow ${row.id} has no definition of its version ${row.version}`)
  const { name, schedule, steps, edges, stepConcurrency, onFailure, ...rest } = await withPresentNames(tx, read.stored)
  return {
    group,
    name,
    schedule: known.toDocument(schedule),
    ...withoutDefaults(rest),
    ...(stepConcurrency === 0 ? {} : { stepConcurrency }),
    ...(onFailure === 'finish' ? {} : { onFailure }),
    steps,
    edges,
    enabled: row.enabled === 1,
  }
}

const DEFAULTS: Readonly<Record<string, unknown>> = { ...TASK_DEFAULTS, tags: [] }

function withoutDefaults<Fields extends object>(fields: Fields): Partial<Fields> {
  // Safe: fields are left out, and none is made.
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(DEFAULTS[name])),
  ) as Partial<Fields>
}
