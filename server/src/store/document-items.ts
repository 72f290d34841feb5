import {
  AppError,
  DOCUMENT_LIMITS,
  type DocumentFieldChange,
  type DocumentItem,
  type DocumentKind,
  type FieldProblem,
  type TickwheelDocument,
} from '@tickwheel/contract'
import type { FieldChange } from '@tickwheel/core'

/** How many things a document names. */
export function itemsIn({ groups = [], calendars = [], tasks = [], workflows = [] }: TickwheelDocument): number {
  return groups.length + calendars.length + tasks.length + workflows.length
}

/** 422: more than one document holds. */
export function documentTooLarge(): AppError {
  const { items, bytes } = DOCUMENT_LIMITS
  return new AppError(
    'DOCUMENT_TOO_LARGE',
    `A document holds at most ${items} groups, calendars, tasks and workflows, and ${bytes} bytes: do it by groups, in several.`,
    { params: { items, bytes } },
  )
}

/** What becomes of a thing, where in the text it stands being known to whoever has the text. */
export type PlannedItem = Omit<DocumentItem, 'line'>

/** Where a thing of a document stands, and what it is called. */
export interface Place {
  readonly kind: DocumentKind
  readonly index: number
  /** `name`, or `group/name` */
  readonly key: string
}

const LISTS: Readonly<Record<DocumentKind, string>> = { group: 'groups', calendar: 'calendars', task: 'tasks', workflow: 'workflows' }

export function pathOf({ kind, index }: Pick<Place, 'kind' | 'index'>): string {
  return `${LISTS[kind]}.${index}`
}

/** What a document names, and the store knows by id. */
const NAMES_OF_IDS: Readonly<Record<string, string>> = { groupId: 'group', 'schedule.calendarId': 'schedule.calendar' }

/** Problems of a thing, as problems of the document that names its group. */
export function problemsAt(place: Place, problems: readonly FieldProblem[]): FieldProblem[] {
  return problems.map((problem) => ({
    ...problem,
    path: [pathOf(place), ...(problem.path === '' ? [] : [NAMES_OF_IDS[problem.path] ?? problem.path])].join('.'),
  }))
}

/** Changes as they are told: not too many, not too long, and without values where the caller may not see them. */
export function toldChanges(
  changes: readonly FieldChange[],
  isHidden: (path: string) => boolean,
): { readonly fields: DocumentFieldChange[]; readonly fieldsLeftOut: number } {
  const told = changes.slice(0, DOCUMENT_LIMITS.fieldsOfItem)
  return {
    fields: told.map((change) => (isHidden(change.path) ? { path: change.path, hidden: true } : cut(change))),
    fieldsLeftOut: changes.length - told.length,
  }
}

function cut(change: FieldChange): DocumentFieldChange {
  const isLong = 'before' in change && textOf(change.before).length > DOCUMENT_LIMITS.valueCharacters
  const isLongNow = 'after' in change && textOf(change.after).length > DOCUMENT_LIMITS.valueCharacters
  return {
    path: change.path,
    ...('before' in change ? { before: isLong ? beginningOf(change.before) : change.before } : {}),
    ...('after' in change ? { after: isLongNow ? beginningOf(change.after) : change.after } : {}),
    ...(isLong || isLongNow ? { cut: true } : {}),
  }
}

function beginningOf(value: unknown): string {
  return textOf(value).slice(0, DOCUMENT_LIMITS.valueCharacters)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
