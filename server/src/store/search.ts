import { SEARCH_KINDS, SEARCH_LIMITS, type SearchAnswer, type SearchHit, type SearchKind } from '@tickwheel/contract'
import type { Permission, Scope } from '@tickwheel/core'
import { sql, type RawBuilder, type SelectQueryBuilder } from 'kysely'
import { query, type Database, type ReadTx } from './database.ts'
import { nameKey } from './definition.ts'
import { namesOfGroups } from './groups.ts'
import { readRuns } from './instances.ts'
import { contains, likePattern } from './page.ts'
import { groupsOf } from './scope.ts'
import { OF_ALL } from './variable-place.ts'
import { WORKFLOW_KIND } from './workflow-definition.ts'

/*
 * Finding things by their names. Nothing is indexed for it: a kind with names is scanned, tasks by the index that keeps their names unique (100,000 of
 * them: 10 to 30 ms on SQLite, 40 to 60 on MariaDB), and none of these kinds grows with history. Runs are found by their number, which is their key.
 */

/** What was asked, taken apart. `group` and `rest` of `group/name`; `number` of `41` and `#41`. */
interface Wanted {
  readonly text: string
  readonly inGroup: { readonly group: string; readonly rest: string } | null
  readonly number: number | null
  /** ids of tasks and workflows with such names, by the groups that were looked through */
  readonly scanned: Map<string, readonly number[]>
}

type Found = Omit<SearchHit, 'kind' | 'groupName'>

/** How things of a kind are found among those of some groups (null: of all), the best first, one more than is shown. */
interface Kind {
  readonly needs: Permission
  readonly find: (tx: ReadTx, wanted: Wanted, groupIds: readonly number[] | null) => Promise<Found[]>
}

/** A new kind is a line here, a word in the contract's `SEARCH_KINDS`, and an address in the console's `hit-place.ts`. */
const KINDS: Readonly<Record<SearchKind, Kind>> = {
  task: { needs: 'task:view', find: scheduled('<>') },
  workflow: { needs: 'workflow:view', find: scheduled('=') },
  run: { needs: 'instance:view', find: runs(false) },
  workflowRun: { needs: 'workflow:view', find: runs(true) },
  executor: { needs: 'executor:view', find: executors },
  calendar: { needs: 'calendar:view', find: calendars },
  group: { needs: 'group:view', find: groups },
  user: { needs: 'user:view', find: users },
}

const TAKEN = SEARCH_LIMITS.perKind + 1
/** Names that are looked at more closely, tasks and workflows together. */
const CANDIDATES = 500

/** What has a name like `q`. `scopeOf`: the groups in which the caller has a permission; a kind that they may see nowhere is not looked for. */
export async function search(db: Database, q: string, scopeOf: (permission: Permission) => Scope): Promise<SearchAnswer> {
  const wanted = wantedOf(q)
  if (wanted.text === '') return { items: [], isCut: false }
  return db.read(async (tx) => {
    const items: SearchHit[] = []
    let isCut = false
    for (const kind of SEARCH_KINDS) {
      const { needs, find } = KINDS[kind]
      const groupIds = groupsOf(scopeOf(needs), undefined)
      if (groupIds?.length === 0) continue
      const found = await find(tx, wanted, groupIds)
      isCut ||= found.length > SEARCH_LIMITS.perKind
      items.push(...found.slice(0, SEARCH_LIMITS.perKind).map((one) => ({ kind, ...one, groupName: null })))
    }
    return { items: await withGroupNames(tx, items), isCut }
  })
}

function wantedOf(q: string): Wanted {
  const text = nameKey(q)
  const [group = '', ...rest] = text.split('/')
  const digits = /^#?(\d{1,15})$/.exec(text)?.[1]
  return {
    text,
    inGroup: rest.length === 0 ? null : { group: group.trim(), rest: rest.join('/').trim() },
    number: digits === undefined || Number(digits) === 0 ? null : Number(digits),
    scanned: new Map(),
  }
}

async function withGroupNames(tx: ReadTx, items: readonly SearchHit[]): Promise<SearchHit[]> {
  const names = await namesOfGroups(
    tx,
    items.flatMap(({ groupId }) => groupId ?? []),
  )
  return items.map((item) => ({ ...item, groupName: item.groupId === null ? null : (names.get(item.groupId) ?? '') }))
}

/** Tasks or workflows: they are rows of one table. */
function scheduled(is: '=' | '<>'): Kind['find'] {
  return async (tx, wanted, groupIds) => {
    const ids = await candidates(tx, wanted, groupIds)
    if (ids.length === 0) return []
    const rows = await tx.rows(
      query
        .selectFrom('task')
        .select(['id', 'name', 'group_id'])
        .where('id', 'in', ids)
        .where('deleted_at', 'is', null)
        .where('handler_kind', is, WORKFLOW_KIND),
    )
    const byId = new Map(rows.map((row) => [row.id, row]))
    return ids.flatMap((id) => foundOf(byId.get(id))).slice(0, TAKEN)
  }
}

/** Tasks and workflows with such names, the best first. Whoever sees both in the same groups has the names scanned once. */
async function candidates(tx: ReadTx, wanted: Wanted, groupIds: readonly number[] | null): Promise<readonly number[]> {
  const where = groupIds?.join() ?? 'all'
  const known = wanted.scanned.get(where)
  if (known !== undefined) return known
  const inGroups = await groupsNamed(tx, wanted, groupIds)
  let named = query
    .selectFrom('task')
    .select('id')
    .where('name_key', 'is not', null)
    .where(matches('name_key', wanted, inGroups))
  if (groupIds !== null) named = named.where('group_id', 'in', groupIds)
  const rows = await tx.rows(named.$call(bestFirst('name_key', wanted, CANDIDATES)))
  const ids = rows.map(({ id }) => id)
  wanted.scanned.set(where, ids)
  return ids
}

function foundOf(row: { id: number; name: string; group_id: number } | undefined): Found[] {
  return row === undefined ? [] : [{ id: row.id, name: row.name, groupId: row.group_id, note: '' }]
}

/** A run by its number: of a task, or of a workflow. */
function runs(ofWorkflow: boolean): Kind['find'] {
  return async (tx, { number }, groupIds) => {
    const [run] = number === null ? [] : await readRuns(tx, [number])
    if (run === undefined || (run.row.runs_workflow === 1) !== ofWorkflow) return []
    const { id, task_id: taskId, group_id: groupId } = run.row
    if (groupIds !== null && !groupIds.includes(groupId)) return []
    const task = await tx.first(query.selectFrom('task').select('name').where('id', '=', taskId))
    return [{ id, name: task?.name ?? '', groupId, note: '' }]
  }
}

async function executors(tx: ReadTx, wanted: Wanted, groupIds: readonly number[] | null): Promise<Found[]> {
  const inGroups = await groupsNamed(tx, wanted, groupIds)
  let found = query
    .selectFrom('executor')
    .select(['id', 'name', 'group_id'])
    .where(matches('name', wanted, inGroups))
  if (groupIds !== null) found = found.where('group_id', 'in', groupIds)
  const rows = await tx.rows(found.$call(bestFirst('name', wanted, TAKEN)))
  return rows.flatMap(foundOf)
}

/** Those of all groups are seen by whoever sees those of one. */
async function calendars(tx: ReadTx, wanted: Wanted, groupIds: readonly number[] | null): Promise<Found[]> {
  const inGroups = await groupsNamed(tx, wanted, groupIds)
  let found = query
    .selectFrom('calendar')
    .select(['id', 'name', 'group_id'])
    .where('deleted_at', 'is', null)
    .where(matches('name_key', wanted, inGroups))
  if (groupIds !== null) found = found.where('group_id', 'in', [OF_ALL, ...groupIds])
  const rows = await tx.rows(found.$call(bestFirst('name_key', wanted, TAKEN)))
  return rows.map((row) => ({ id: row.id, name: row.name, groupId: row.group_id === OF_ALL ? null : row.group_id, note: '' }))
}

async function groups(tx: ReadTx, wanted: Wanted, groupIds: readonly number[] | null): Promise<Found[]> {
  let found = query
    .selectFrom('task_group')
    .select(['id', 'name', 'app_name'])
    .where((is) => is.or([contains('name_key', wanted.text), contains('app_name', wanted.text)]))
  if (groupIds !== null) found = found.where('id', 'in', groupIds)
  const rows = await tx.rows(found.$call(bestFirst('name_key', wanted, TAKEN)))
  return rows.map((row) => ({ id: row.id, name: row.name, groupId: null, note: row.app_name }))
}

async function users(tx: ReadTx, wanted: Wanted): Promise<Found[]> {
  const rows = await tx.rows(
    query
      .selectFrom('user')
      .select(['id', 'username', 'display_name'])
      .where((is) => is.or([contains('name_key', wanted.text), contains('display_name', wanted.text)]))
      .$call(bestFirst('name_key', wanted, TAKEN)),
  )
  return rows.map((row) => ({ id: row.id, name: row.username, groupId: null, note: row.display_name }))
}

/** Of `group/name`: the groups that are meant, of those that are visible. */
async function groupsNamed(tx: ReadTx, { inGroup }: Wanted, groupIds: readonly number[] | null): Promise<number[]> {
  if (inGroup === null) return []
  let found = query.selectFrom('task_group').select('id').where(contains('name_key', inGroup.group))
  if (groupIds !== null) found = found.where('id', 'in', groupIds)
  return (await tx.rows(found.orderBy('id').limit(CANDIDATES))).map(({ id }) => id)
}

function matches(column: string, { text, inGroup }: Wanted, groupIds: readonly number[]): RawBuilder<boolean> {
  const plain = contains(column, text)
  return inGroup === null || groupIds.length === 0
    ? plain
    : sql<boolean>`(${plain} or (group_id in (${sql.join(groupIds)}) and ${contains(column, inGroup.rest)}))`
}

/** What is called so before what begins so, the shorter first. */
function bestFirst(column: string, wanted: Wanted, limit: number) {
  return <DB, TB extends keyof DB, O>(found: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> =>
    found
      .orderBy(rankOf(column, wanted))
      .orderBy(sql`length(${sql.ref(column)})`)
      .orderBy(sql.ref('id'))
      .limit(limit)
}

/** 0: called so; 1: begins so; 2: contains it. */
function rankOf(column: string, { text, inGroup }: Wanted): RawBuilder<number> {
  const name = inGroup?.rest ?? text
  const lower = sql`lower(${sql.ref(column)})`
  return sql<number>`case when ${lower} = ${name} then 0 when ${lower} like ${likePattern(name).slice(1)} escape '!' then 1 else 2 end`
}
