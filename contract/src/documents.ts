import { Type, type Static } from 'typebox'
import { CalendarCreate } from './calendars.ts'
import { DOCUMENT_FORM, DOCUMENT_KINDS, DOCUMENT_LIMITS } from './constants.ts'
import { FieldProblem } from './errors.ts'
import { GroupCreate } from './groups.ts'
import { defineRoute } from './route.ts'
import { Id, nullable, oneOf, strict } from './shape.ts'
import { ScheduleInput, TaskCreate } from './tasks.ts'
import { WorkflowCreate } from './workflows.ts'

/*
 * Groups, calendars, tasks and workflows as one document, by their names: what `GET /export` gives and `POST /apply` takes. It has no ids, no instants and no secrets, so that
 * it can be kept beside the source of a program, and applied to another installation. What a thing leaves out has its default, but for `enabled` and a group's
 * `concurrency`: they stay as they are.
 */

const GroupName = Type.String({ minLength: 1, maxLength: 128, description: 'name of the group' })

const { xxlToken: _xxlToken, ...ofGroup } = GroupCreate.properties
const { groupId: _ofCalendar, ...ofCalendar } = CalendarCreate.properties
const { groupId: _ofTask, schedule: _taskSchedule, ...ofTask } = TaskCreate.properties
const { groupId: _ofWorkflow, schedule: _workflowSchedule, ...ofWorkflow } = WorkflowCreate.properties

const [cron, fixedRate, fixedDelay, once, manual] = ScheduleInput.anyOf
const { calendarId: _ofCron, ...ofCron } = cron.properties
const { calendarId: _ofRate, ...ofRate } = fixedRate.properties
const { calendarId: _ofDelay, ...ofDelay } = fixedDelay.properties
const calendar = Type.Optional(
  nullable(
    Type.String({ minLength: 1, maxLength: 257, description: 'a calendar by its name: `name` of all groups, `group/name` of the group' }),
  ),
)
/** A schedule that names its calendar. */
export const DocumentSchedule = Type.Union([
  strict({ ...ofCron, calendar }),
  strict({ ...ofRate, calendar }),
  strict({ ...ofDelay, calendar }),
  once,
  manual,
])
export type DocumentSchedule = Static<typeof DocumentSchedule>

/** A group, but for its access token. */
export const DocumentGroup = strict(ofGroup)
export type DocumentGroup = Static<typeof DocumentGroup>
/** Without `group`: of all groups. */
export const DocumentCalendar = strict({ group: Type.Optional(GroupName), ...ofCalendar })
export type DocumentCalendar = Static<typeof DocumentCalendar>
export const DocumentTask = strict({ group: GroupName, ...ofTask, schedule: DocumentSchedule })
export type DocumentTask = Static<typeof DocumentTask>
export const DocumentWorkflow = strict({ group: GroupName, ...ofWorkflow, schedule: DocumentSchedule })
export type DocumentWorkflow = Static<typeof DocumentWorkflow>

const maxItems = DOCUMENT_LIMITS.items

export const TickwheelDocument = strict({
  tickwheel: Type.Literal(DOCUMENT_FORM, { description: 'the form of the document' }),
  groups: Type.Optional(Type.Array(DocumentGroup, { maxItems })),
  calendars: Type.Optional(Type.Array(DocumentCalendar, { maxItems })),
  tasks: Type.Optional(Type.Array(DocumentTask, { maxItems })),
  workflows: Type.Optional(Type.Array(DocumentWorkflow, { maxItems })),
})
export type TickwheelDocument = Static<typeof TickwheelDocument>

/** `path`: dotted; an entry of a list whose entries have keys is written by its key, `steps[load].retry.max`. A value that was not there, or is not there any more, is left out. */
export const DocumentFieldChange = strict({
  path: Type.String(),
  before: Type.Optional(Type.Unknown()),
  after: Type.Optional(Type.Unknown()),
  cut: Type.Optional(Type.Boolean({ description: `a value above ${DOCUMENT_LIMITS.valueCharacters} characters is cut off` })),
  hidden: Type.Optional(Type.Boolean({ description: 'the caller may not see parameters: the values are left out' })),
})
export type DocumentFieldChange = Static<typeof DocumentFieldChange>

export const DOCUMENT_ACTIONS = ['create', 'change', 'none'] as const
export type DocumentAction = (typeof DOCUMENT_ACTIONS)[number]

/** What becomes of one thing of the document. */
export const DocumentItem = strict({
  kind: oneOf(DOCUMENT_KINDS),
  key: Type.String({ description: '`name` of a group and of a calendar of all groups, `group/name` of all others' }),
  path: Type.String({ description: 'where it stands in the document: `tasks.3`' }),
  line: nullable(Type.Integer({ description: 'null: the document came as JSON' })),
  action: oneOf(DOCUMENT_ACTIONS),
  id: nullable(Type.Integer({ description: 'null: it is not there yet' })),
  fields: Type.Array(DocumentFieldChange),
  fieldsLeftOut: Type.Integer({ minimum: 0, description: `changed fields beyond the first ${DOCUMENT_LIMITS.fieldsOfItem}` }),
})
export type DocumentItem = Static<typeof DocumentItem>

export const ApplyAnswer = strict({
  dryRun: Type.Boolean(),
  plan: nullable(
    Type.String({
      description: 'given to the call that applies it: 409 `PLAN_STALE` where something else would happen. null: there are problems',
    }),
  ),
  counts: strict({
    create: Type.Integer({ minimum: 0 }),
    change: Type.Integer({ minimum: 0 }),
    none: Type.Integer({ minimum: 0, description: 'as they are already' }),
    untouched: Type.Integer({ minimum: 0, description: 'in the groups of the document, and not named by it' }),
  }),
  items: Type.Array(DocumentItem),
  untouched: Type.Array(strict({ kind: oneOf(DOCUMENT_KINDS), id: Id, key: Type.String() }), {
    description: `the first ${DOCUMENT_LIMITS.untouched}: nothing becomes of them`,
  }),
  problems: Type.Array(FieldProblem, { description: `at most ${DOCUMENT_LIMITS.problems}; none in an answer without dryRun` }),
})
export type ApplyAnswer = Static<typeof ApplyAnswer>

export const ExportQuery = strict({
  groups: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 8192,
      description: 'names of groups, separated by a slash; absent: all that the caller may export',
    }),
  ),
  format: Type.Optional(oneOf(['yaml', 'json'])),
})

const tag = 'document'
export const documentRoutes = [
  defineRoute({
    id: 'exportDocument',
    method: 'GET',
    path: '/export',
    access: 'group:view',
    budget: 'heavy',
    tag,
    summary:
      'Groups with their calendars, tasks and workflows as one document, by name; needs to see them with their parameters. YAML by `Accept: application/yaml` or `format`',
    query: ExportQuery,
    status: 200,
    answer: TickwheelDocument,
    yaml: TickwheelDocument,
  }),
  defineRoute({
    id: 'applyDocument',
    method: 'POST',
    path: '/apply',
    access: 'self',
    budget: 'heavy',
    tag,
    summary:
      'Make groups, calendars, tasks and workflows what a document says, all or nothing; what it does not name is left alone. Each needs its own permission. Problems carry lines where the document, also a JSON one, is sent as `application/yaml`',
    query: strict({
      dryRun: Type.Optional(Type.Boolean({ description: 'change nothing, and answer what would be changed' })),
      plan: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'of a dry run: apply what that has shown, or nothing' })),
    }),
    body: TickwheelDocument,
    status: 200,
    answer: ApplyAnswer,
    yaml: TickwheelDocument,
  }),
] as const
