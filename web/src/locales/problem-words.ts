import type { FieldProblem } from '@tickwheel/contract'
import { toProblem } from '../api/problem.ts'
import { formatDuration } from '../utils/duration.ts'
import { tMaybe, type Named } from './text.ts'

/** Any failure of a call as one sentence in the language shown; the server's own `detail` where the console has no words for the code. */
export function problemWords(failure: unknown): string {
  const problem = toProblem(failure)
  return tMaybe(`errors.${problem.code}`, toNamed(problem.params)) ?? problem.message
}

/** What is wrong with one field as one sentence. */
export function fieldWords(problem: Pick<FieldProblem, 'code'> & Partial<Pick<FieldProblem, 'message' | 'params'>>): string {
  const named = toNamed(problem.params ?? {})
  return tMaybe(`fields.${problem.code}`, named) ?? tMaybe(`schedule.problems.${problem.code}`, named) ?? problem.message ?? problem.code
}

/** The first sentence for each path: `{ 'schedule.expression': '…' }`. */
export function fieldErrors(failure: unknown): Record<string, string> {
  const words: Record<string, string> = {}
  for (const error of toProblem(failure).errors) words[error.path] ??= fieldWords(error)
  return words
}

function toNamed(params: Readonly<Record<string, unknown>>): Named {
  const named: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(params)) named[name] = toWord(name, value)
  return named
}

function toWord(name: string, value: unknown): string | number {
  if (typeof value === 'number') return name.endsWith('Ms') ? formatDuration(value) : value
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.join(', ') : value === null || value === undefined ? '' : JSON.stringify(value)
}
