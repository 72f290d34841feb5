import type { DocumentFieldChange, DocumentItem, FieldProblem } from '@tickwheel/contract'
import { lineChanges, type FieldChange } from '../../components/versions/diff.ts'

/** The line of the text that a problem is about; null: it is not known. */
export function lineOf({ params }: Pick<FieldProblem, 'params'>): number | null {
  const line = params?.['line']
  return typeof line === 'number' ? line : null
}

const GENERAL = /^(BAD_|UNKNOWN_|WRONG_|NOT_ALLOWED|TOO_|REQUIRED|WORKFLOW_|EXPRESSION)/

/** What the server says of a problem beside the words of the console, where these say too little. */
export function detailOf({ code, message }: Pick<FieldProblem, 'code' | 'message'>): string {
  return GENERAL.test(code) ? message : ''
}

/** What becomes of things, those that change first; in the order of the document within. */
export function rowsToShow(items: readonly DocumentItem[], showsAll: boolean): DocumentItem[] {
  const changing = items.filter(({ action }) => action !== 'none')
  return showsAll ? [...changing, ...items.filter(({ action }) => action === 'none')] : changing
}

/** Fields as versions show them: line by line where a value has lines. What may not be seen is left out. */
export function shownChanges(fields: readonly DocumentFieldChange[]): FieldChange[] {
  return fields.flatMap(({ path, before, after, hidden }) => {
    if (hidden === true) return []
    const [then, now] = withoutLastBreak(textOf(before), textOf(after))
    return [{ path, then, now, lines: then.includes('\n') || now.includes('\n') ? lineChanges(then, now) : null }]
  })
}

/** A script ends with a line break, which is no line of its own. */
function withoutLastBreak(then: string, now: string): [string, string] {
  return then.endsWith('\n') && now.endsWith('\n') ? [then.slice(0, -1), now.slice(0, -1)] : [then, now]
}

function textOf(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((part) => typeof part !== 'object')) return value.join(', ')
  return JSON.stringify(value, null, 2)
}

const PAGES = { calendar: 'calendar', task: 'task', workflow: 'workflow' } as const

/** Where a thing is looked at, if it is there. */
export function linkOf({ kind, id, key }: Pick<DocumentItem, 'kind' | 'id' | 'key'>) {
  if (id === null) return null
  return kind === 'group' ? { name: 'groups', query: { keyword: key } } : { name: PAGES[kind], params: { id } }
}
