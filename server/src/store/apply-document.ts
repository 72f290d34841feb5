import { createHash } from 'node:crypto'
import {
  AppError,
  DOCUMENT_LIMITS,
  type ApplyAnswer,
  type DocumentCalendar,
  type DocumentGroup,
  type DocumentSchedule,
  type DocumentTask,
  type DocumentWorkflow,
  type FieldProblem,
  type Handler,
  type ScheduleInput,
  type TickwheelDocument,
  type WorkflowDefinition,
} from '@tickwheel/contract'
import { changesBetween, type FieldChange, type Permission, type Scope } from '@tickwheel/core'
import type { CalendarShelf } from './calendar-shelf.ts'
import { createCalendarIn, rulesAt, seesCalendar, updateCalendarIn, visibleCalendar } from './calendars.ts'
import type { Caller, Change } from './caller.ts'
import type { Database, Tx } from './database.ts'
import { completeDefinition, nameKey } from './definition.ts'
import { calendarKey, DocumentCalendars } from './document-calendars.ts'
import { documentTooLarge, itemsIn, pathOf, problemsAt, toldChanges, type Place, type PlannedItem } from './document-items.ts'
import { groupsNamed, thingsNamed, untouchedIn, type NamedGroup, type NamedThing } from './document-names.ts'
import { inOrderOfUse } from './document-order.ts'
import { createGroupIn, updateGroupIn } from './groups.ts'
import { takeEntityId } from './ids.ts'
import type { RunRights } from './run-rights.ts'
import type { TaskChanged } from './scheduled.ts'
import { TASK, WORKFLOW, type ScheduledKind } from './scheduled-kind.ts'
import { isVisible } from './scope.ts'
import { createTaskIn, definitionOf, setTaskEnabledIn, updateTaskIn } from './tasks.ts'
import { inlineTasksOf } from './workflow-problems.ts'
import { pathKey, resolveReferences, withPresentNames } from './workflow-refs.ts'
import { readWorkflow } from './workflow-versions.ts'
import { completeWorkflow, createWorkflowIn, updateWorkflowIn } from './workflows.ts'

/*
 * Makes groups, calendars, tasks and workflows what a document says, in one transaction. What would be done is found out by doing it: a dry run is rolled back, so that its
 * diff and its problems are those of the real one, also where things of the document refer to each other. Nothing is deleted, and what is as the document says
 * already is not written.
 */

export interface ApplyWish {
  readonly document: TickwheelDocument
  readonly dryRun: boolean
  /** what a dry run has shown; null: whatever comes of it */
  readonly plan: string | null
  /** the groups in which the caller has a permission */
  readonly scopeOf: (permission: Permission) => Scope
  readonly serverZone: string
  /** cluster time, epoch ms */
  readonly now: number
  /** the first of as many run ids as the document has things */
  readonly firstAuditId: number
  readonly caller: Caller
}

/** What was done, or would be. `plan` null: there are problems, and nothing was. `changed`: in a dry run none. */
export interface Applied extends Omit<ApplyAnswer, 'items' | 'dryRun'> {
  readonly items: readonly PlannedItem[]
  readonly changed: readonly TaskChanged[]
}

/** Takes back what was done, and keeps what was found out. */
class NotKept extends Error {
  readonly applied: Applied

  constructor(applied: Applied) {
    super('rolled back')
    this.applied = { ...applied, changed: [] }
  }
}

/** Throws `AppError`: `DOCUMENT_TOO_LARGE`, `PLAN_STALE`, and `STALE_VERSION` where something was saved at the same instant. */
export async function applyDocument(db: Database, wish: ApplyWish): Promise<Applied> {
  if (itemsIn(wish.document) > DOCUMENT_LIMITS.items) throw documentTooLarge()
  const calendarIds = new Set<number>()
  let shelf: CalendarShelf | null = null
  try {
    return await db.write('rest', async (tx) => {
      shelf = tx.watch.calendars
      const applied = await new Application(tx, wish, calendarIds).run()
      if (wish.plan !== null && wish.plan !== applied.plan) throw stalePlan()
      if (wish.dryRun || applied.problems.length > 0) throw new NotKept(applied)
      return applied
    })
  } catch (error) {
    forget(shelf, calendarIds)
    if (error instanceof NotKept) return error.applied
    throw error
  }
}

/** A version of a calendar that was taken back may come again with other rules. */
function forget(shelf: CalendarShelf | null, ids: ReadonlySet<number>): void {
  if (ids.size > 0) shelf?.forget(ids)
}

function stalePlan(): AppError {
  return new AppError(
    'PLAN_STALE',
    'what was shown is not what would happen now, because something was changed meanwhile: ask for it again',
  )
}

type Fields = Readonly<Record<string, unknown>>

class Application {
  readonly #tx: Tx
  readonly #wish: ApplyWish
  readonly #mayRun: RunRights
  readonly #items: PlannedItem[] = []
  readonly #problems: FieldProblem[] = []
  readonly #changed: TaskChanged[] = []
  /** what is applied, for the plan: with every value, and the version that it was compared with */
  readonly #plan = createHash('sha256')
  #groups: Map<string, NamedGroup> = new Map()
  #calendars: DocumentCalendars | null = null
  /** calendars that were made or changed */
  readonly #calendarIds: Set<number>
  /** tasks and workflows that were there before and are named: each with its group */
  readonly #named = new Map<number, number>()
  #auditId: number
  /** things of the document that have problems: what refers to them has none of its own */
  readonly #failed = new Set<string>()

  constructor(tx: Tx, wish: ApplyWish, calendarIds: Set<number>) {
    this.#calendarIds = calendarIds
    this.#tx = tx
    this.#wish = wish
    this.#auditId = wish.firstAuditId
    this.#mayRun = { tasks: wish.scopeOf('task:run'), workflows: wish.scopeOf('workflow:run'), secrets: wish.scopeOf('secret:view') }
  }

  async run(): Promise<Applied> {
    const { groups = [], calendars = [], tasks = [], workflows = [] } = this.#wish.document
    const ofGroups = [...calendars, ...tasks, ...workflows].flatMap(({ group }) => group ?? [])
    const names = [...groups.map(({ name }) => name), ...ofGroups]
    this.#groups = await groupsNamed(this.#tx, names)
    const before = new Map([...this.#groups.values()].map(({ id, name }) => [id, name]))
    await this.#each(
      groups.map((group, index) => ({ kind: 'group', index, key: group.name.trim(), given: group })),
      (place) => this.#group(place),
    )
    this.#calendars = await DocumentCalendars.read(this.#tx)
    await this.#each(
      calendars.map((calendar, index) => ({ kind: 'calendar', index, key: calendarKey(calendar.group, calendar.name), given: calendar })),
      (place) => this.#calendar(place),
    )
    await this.#tasks(tasks)
    await this.#workflows(workflows)
    const untouched = await untouchedIn(this.#tx, {
      groups: before,
      named: this.#named,
      scopes: { task: this.#wish.scopeOf('task:view'), workflow: this.#wish.scopeOf('workflow:view') },
    })
    const count = (action: PlannedItem['action']): number => this.#items.filter((item) => item.action === action).length
    return {
      plan: this.#problems.length > 0 ? null : this.#plan.digest('hex').slice(0, 40),
      counts: { create: count('create'), change: count('change'), none: count('none'), untouched: untouched.total },
      items: this.#items,
      untouched: untouched.things,
      problems: this.#problems.slice(0, DOCUMENT_LIMITS.problems),
      changed: this.#changed,
    }
  }

  async #tasks(tasks: readonly DocumentTask[]): Promise<void> {
    const known = await this.#known(TASK, tasks)
    const places = tasks.map((given, index) => placeOf('task', { index, given }))
    await this.#each(places, async (place) => {
      const group = this.#groupOf(place)
      if (group !== null) await this.#task(place, group, known.get(pathKey(place.key)) ?? null)
    })
  }

  /** What others run goes first, so that circles and depths are seen; what waits for each other is known before it is there. */
  async #workflows(workflows: readonly DocumentWorkflow[]): Promise<void> {
    const known = await this.#known(WORKFLOW, workflows)
    const coming = new Map<string, { id: number; groupId: number }>()
    for (const { group, name } of workflows) {
      const key = pathKey(`${group}/${name}`)
      const groupId = this.#groups.get(nameKey(group))?.id
      if (groupId !== undefined && !known.has(key) && !coming.has(key)) coming.set(key, { id: await takeEntityId(this.#tx), groupId })
    }
    const places = workflows.map((given, index) => placeOf('workflow', { index, given }))
    await this.#each(inOrderOfUse(places), async (place) => {
      const group = this.#groupOf(place)
      if (group !== null) await this.#workflow(place, { group, known: known.get(pathKey(place.key)) ?? null, coming })
    })
    this.#items.sort((one, other) => (one.kind === 'workflow' && other.kind === 'workflow' ? indexOf(one) - indexOf(other) : 0))
  }

  /** Each in turn, with its problems; beyond a hundred nobody reads on. */
  async #each<Given extends Place>(places: readonly Given[], work: (place: Given) => Promise<void>): Promise<void> {
    const seen = new Set<string>()
    for (const place of places) {
      if (this.#problems.length >= DOCUMENT_LIMITS.problems) return
      const key = pathKey(place.key)
      if (seen.has(key)) {
        this.#tell(place, [
          { path: 'name', code: 'NAMED_TWICE', message: `the document names "${place.key}" twice`, params: { value: place.key } },
        ])
        continue
      }
      seen.add(key)
      try {
        await work(place)
      } catch (error) {
        this.#tell(place, problemsOfError(error))
      }
    }
  }

  #tell(place: Place, problems: readonly FieldProblem[]): void {
    const own = problems.filter((problem) => !this.#isOfFailed(problem))
    this.#failed.add(`${place.kind} ${pathKey(place.key)}`)
    this.#problems.push(...problemsAt(place, own))
  }

  /** What refers to a thing of the document that has problems has none of its own. */
  #isOfFailed({ path, code, params }: FieldProblem): boolean {
    if (code === 'WORKFLOW_UNKNOWN_TASK') return this.#failed.has(`${String(params?.['kind'])} ${pathKey(String(params?.['name']))}`)
    return path === 'schedule.calendar' && this.#failed.has(`calendar ${pathKey(String(params?.['value']))}`)
  }

  /** The group that a thing names, if it is there for the caller. */
  #groupOf(place: Place & { readonly given: { readonly group: string } }): NamedGroup | null {
    const { group: name } = place.given
    const group = this.#groups.get(nameKey(name))
    if (group !== undefined && isVisible(this.#wish.scopeOf('group:view'), group.id)) return group
    if (this.#failed.has(`group ${nameKey(name)}`)) {
      this.#failed.add(`${place.kind} ${pathKey(place.key)}`)
      return null
    }
    const message = `there is no group "${name}" that you may see: name it under groups, or make it first`
    this.#tell(place, [{ path: 'group', code: 'UNKNOWN_REFERENCE', message, params: { value: name } }])
    return null
  }

  async #group(place: Place & { readonly given: DocumentGroup }): Promise<void> {
    const { given } = place
    const row = this.#groups.get(nameKey(given.name)) ?? null
    const { name, description, concurrency } = row ?? { name: '', description: '', concurrency: 0 }
    const after = {
      name: given.name.trim(),
      appName: given.appName,
      description: given.description ?? '',
      concurrency: given.concurrency ?? concurrency,
    }
    if (row === null) {
      if (this.#wish.scopeOf('group:edit') !== 'all') throw notPermitted('group:edit')
      const { groupId } = await createGroupIn(this.#tx, { input: given }, this.#change('group:edit'))
      this.#groups.set(nameKey(given.name), { id: groupId, version: 1, ...after })
      return this.#item(place, { action: 'create', id: groupId, version: 0, changes: changesBetween({}, given) })
    }
    this.#requireSight(row.id, { edit: 'group:edit', view: ['group:view'] })
    const changes = changesBetween({ name, appName: row.appName, description, concurrency }, after)
    if (changes.length === 0) return this.#item(place, { action: 'none', id: row.id, version: row.version, changes })
    this.#require('group:edit', row.id)
    await updateGroupIn(this.#tx, { groupId: row.id, input: { ...given, version: row.version } }, this.#change('group:edit'))
    this.#item(place, { action: 'change', id: row.id, version: row.version, changes })
  }

  async #calendar(place: Place & { readonly given: DocumentCalendar }): Promise<void> {
    const { group: named, ...fields } = place.given
    const group = named === undefined ? null : this.#groupOf({ ...place, given: { group: named } })
    if (named !== undefined && group === null) return
    const row = this.#calendarsKnown.named(place.key)
    const groupId = group?.id ?? null
    const scope = this.#wish.scopeOf('calendar:edit')
    const mayEdit = groupId === null ? scope === 'all' : isVisible(scope, groupId)
    if (row === null) {
      if (!mayEdit) throw notPermitted('calendar:edit')
      const id = await createCalendarIn(this.#tx, { ...fields, groupId }, this.#change('calendar:edit'))
      return this.#keepCalendar(place, { action: 'create', id, version: 0, changes: changesBetween({}, fields) }, group)
    }
    if (!mayEdit && !seesCalendar(this.#wish.scopeOf('calendar:view'), row.group_id)) throw notPermitted('calendar:edit')
    const before = { name: row.name, description: row.description, rules: await rulesAt(this.#tx, row) }
    const after = { name: fields.name.trim(), description: fields.description ?? '', rules: fields.rules }
    const changes = changesBetween(before, after)
    if (changes.length === 0) return this.#item(place, { action: 'none', id: row.id, version: row.version, changes })
    if (!mayEdit) throw notPermitted('calendar:edit')
    await updateCalendarIn(this.#tx, row.id, { ...after, version: row.version }, this.#change('calendar:edit'))
    await this.#keepCalendar(place, { action: 'change', id: row.id, version: row.version, changes }, group)
  }

  async #keepCalendar(place: Place, outcome: Outcome, group: NamedGroup | null): Promise<void> {
    this.#calendarIds.add(outcome.id)
    this.#calendarsKnown.put(await visibleCalendar(this.#tx, outcome.id, 'all'), group?.name ?? null)
    this.#item(place, outcome)
  }

  get #calendarsKnown(): DocumentCalendars {
    if (this.#calendars === null) throw new Error('calendars are read before things that name them')
    return this.#calendars
  }

  /** A definition as a document has it, for comparison. */
  #shown<Definition extends { readonly schedule: ScheduleInput }>(
    definition: Definition,
  ): Omit<Definition, 'schedule'> & { readonly schedule: DocumentSchedule } {
    return { ...definition, schedule: this.#calendarsKnown.toDocument(definition.schedule) }
  }

  async #task(place: Place & { readonly given: DocumentTask }, group: NamedGroup, known: NamedThing | null): Promise<void> {
    const { group: _group, ...fields } = place.given
    const input = { ...fields, schedule: this.#calendarsKnown.toStored(fields.schedule), groupId: group.id }
    const { serverZone } = this.#wish
    const mayRefer = this.#mayRun.secrets ?? []
    if (known === null) {
      this.#require('task:edit', group.id)
      this.#requireScripts([input.handler], group.id)
      const made = this.#made(await createTaskIn(this.#tx, { input, serverZone, mayRefer }, this.#change('task:edit')))
      return this.#item(place, { action: 'create', id: made, version: 0, changes: changesBetween({}, fields) })
    }
    this.#requireSight(group.id, { edit: 'task:edit', view: ['task:view', 'task:viewParams'] })
    const before = await definitionOf(this.#tx, known.id, known.version)
    const after = completeDefinition(input, serverZone)
    const changes = changesOf(known, {
      before: before === null ? null : this.#shown(before),
      after: this.#shown(after),
      enabled: input.enabled,
    })
    if (changes.length === 0) return this.#item(place, { action: 'none', id: known.id, version: known.version, changes })
    this.#require('task:edit', group.id)
    const change = this.#change('task:edit')
    if (changes.every(isSwitch)) {
      this.#changed.push(await setTaskEnabledIn(this.#tx, { taskId: known.id, isEnabled: input.enabled === true }, change))
    } else {
      this.#requireScripts([input.handler], group.id)
      const save = { taskId: known.id, input: { ...input, version: known.version }, serverZone, mayRefer }
      this.#changed.push(await updateTaskIn(this.#tx, save, change))
    }
    const isHidden = this.#hides('task:viewParams', group.id, /^(params|handler)\b/)
    this.#item(place, { action: 'change', id: known.id, version: known.version, changes, isHidden })
  }

  async #workflow(
    place: Place & { readonly given: DocumentWorkflow },
    { group, known, coming }: { group: NamedGroup; known: NamedThing | null; coming: ReadonlyMap<string, { id: number; groupId: number }> },
  ): Promise<void> {
    const { group: _group, ...fields } = place.given
    const input = { ...fields, schedule: this.#calendarsKnown.toStored(fields.schedule), groupId: group.id }
    const wish = { serverZone: this.#wish.serverZone, mayRun: this.#mayRun, coming }
    const handlers = inlineTasksOf(input).map(({ inline }) => inline.handler)
    if (known === null) {
      this.#require('workflow:edit', group.id)
      this.#requireScripts(handlers, group.id)
      const id = coming.get(pathKey(place.key))?.id ?? null
      const made = this.#made(await createWorkflowIn(this.#tx, { ...wish, input, id }, this.#change('workflow:edit')))
      return this.#item(place, { action: 'create', id: made, version: 0, changes: changesBetween({}, fields) })
    }
    this.#requireSight(group.id, { edit: 'workflow:edit', view: ['workflow:view', 'workflow:viewParams'] })
    const changes = await this.#changesOfWorkflow(known, completeWorkflow(input, wish.serverZone), input.enabled)
    if (changes.length === 0) return this.#item(place, { action: 'none', id: known.id, version: known.version, changes })
    this.#require('workflow:edit', group.id)
    const change = this.#change('workflow:edit')
    if (changes.every(isSwitch)) {
      const wanted = { taskId: known.id, isEnabled: input.enabled === true, kind: WORKFLOW }
      this.#changed.push(await setTaskEnabledIn(this.#tx, wanted, change))
    } else {
      this.#requireScripts(handlers, group.id)
      const save = { ...wish, workflowId: known.id, input: { ...input, version: known.version } }
      this.#changed.push(await updateWorkflowIn(this.#tx, save, change))
    }
    const isHidden = this.#hides('workflow:viewParams', group.id, /^(steps|outputs|paramsSchema)\b/)
    this.#item(place, { action: 'change', id: known.id, version: known.version, changes, isHidden })
  }

  /** What is referred to is compared by its present name, however the document writes it. */
  async #changesOfWorkflow(known: NamedThing, after: WorkflowDefinition, enabled: boolean | undefined): Promise<FieldChange[]> {
    const read = await readWorkflow(this.#tx, known.id, known.version)
    const before = read === null ? null : this.#shown(await withPresentNames(this.#tx, read.stored))
    const changes = changesOf(known, { before, after: this.#shown(after), enabled })
    if (changes.every(isSwitch)) return changes
    const { refs } = await resolveReferences(this.#tx, after, { tasks: 'all', workflows: 'all' })
    const renamed = await withPresentNames(this.#tx, { definition: after, refs, savedBy: null })
    return changesOf(known, { before, after: this.#shown(renamed), enabled })
  }

  #item({ kind, index, key }: Place, { action, id, version, changes, isHidden = () => false }: Outcome): void {
    if (action !== 'none') this.#plan.update(JSON.stringify([kind, pathKey(key), action, action === 'create' ? 0 : id, version, changes]))
    this.#items.push({
      kind,
      key,
      path: pathOf({ kind, index }),
      action,
      id: this.#wish.dryRun && action === 'create' ? null : id,
      ...toldChanges(changes, isHidden),
    })
  }

  /** What was just made is not untouched either. */
  #made(changed: TaskChanged): number {
    this.#changed.push(changed)
    this.#named.set(changed.taskId, changed.groupId)
    return changed.taskId
  }

  #change(permission: Permission): Change {
    const { now, caller, scopeOf } = this.#wish
    this.#auditId += 1
    return { now, auditId: this.#auditId - 1, caller, scope: scopeOf(permission) }
  }

  #require(permission: Permission, groupId: number): void {
    if (!isVisible(this.#wish.scopeOf(permission), groupId)) throw notPermitted(permission)
  }

  /** Whether a thing is as the document says is told to whoever may see all of it, or may change it. */
  #requireSight(groupId: number, { edit, view }: { edit: Permission; view: readonly Permission[] }): void {
    const { scopeOf } = this.#wish
    if (isVisible(scopeOf(edit), groupId) || view.every((permission) => isVisible(scopeOf(permission), groupId))) return
    throw notPermitted(edit)
  }

  /** Who may save a shell command or a script has a shell on the executors. */
  #requireScripts(handlers: readonly Handler[], groupId: number): void {
    if (handlers.some(({ kind }) => kind === 'shell' || kind === 'script')) this.#require('task:editScript', groupId)
  }

  #hides(permission: Permission, groupId: number, fields: RegExp): (path: string) => boolean {
    const mayView = isVisible(this.#wish.scopeOf(permission), groupId)
    return (path) => !mayView && fields.test(path)
  }

  async #known(
    kind: ScheduledKind,
    things: readonly { readonly group: string; readonly name: string }[],
  ): Promise<ReadonlyMap<string, NamedThing>> {
    const wanted = things.flatMap(({ group, name }) => {
      const groupId = this.#groups.get(nameKey(group))?.id
      return groupId === undefined ? [] : [{ groupId, path: `${group}/${name}` }]
    })
    const known = await thingsNamed(this.#tx, kind, wanted)
    for (const { id, groupId } of known.values()) this.#named.set(id, groupId)
    return known
  }
}

interface Outcome {
  readonly action: PlannedItem['action']
  readonly id: number
  /** that it was compared with; 0: it was not there */
  readonly version: number
  readonly changes: readonly FieldChange[]
  readonly isHidden?: (path: string) => boolean
}

function placeOf<Given extends { readonly group: string; readonly name: string }, Kind extends 'task' | 'workflow'>(
  kind: Kind,
  { index, given }: { index: number; given: Given },
): Place & { readonly kind: Kind; readonly given: Given } {
  return { kind, index, key: `${given.group.trim()}/${given.name.trim()}`, given }
}

function indexOf({ path }: PlannedItem): number {
  return Number(path.split('.')[1])
}

function changesOf(
  known: NamedThing,
  { before, after, enabled }: { before: Fields | null; after: Fields; enabled: boolean | undefined },
): FieldChange[] {
  return changesBetween({ ...before, enabled: known.isEnabled }, { ...after, enabled: enabled ?? known.isEnabled })
}

function isSwitch({ path }: FieldChange): boolean {
  return path === 'enabled'
}

function notPermitted(permission: Permission): AppError {
  return new AppError('FORBIDDEN', `this needs the permission ${permission}`, { params: { permission } })
}

/** What is wrong with one thing; what is wrong with all of it, or with us, goes on. */
function problemsOfError(error: unknown): readonly FieldProblem[] {
  if (!(error instanceof AppError)) throw error
  if (error.code === 'UNPROCESSABLE') return error.errors
  if (error.code !== 'FORBIDDEN') throw error
  return [{ path: '', code: 'NOT_PERMITTED', message: error.message, params: { ...error.params } }]
}
