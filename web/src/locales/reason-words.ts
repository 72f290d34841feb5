import { REASON, type Reason } from '@tickwheel/core'
import { formatDuration } from '../utils/duration.ts'
import { formatInZone, localZone } from '../utils/time.ts'
import { t, tMaybe, type Named } from './text.ts'

/** A piece of a sentence; `runId` where it names a run, so that a page can link to it. */
export interface Part {
  readonly text: string
  readonly runId?: number
}

type Facts = Readonly<Record<string, unknown>>
/** names of executors that a page knows, by id: a trace has only their ids */
export type ExecutorNames = ReadonlyMap<number, string>

const NO_NAMES: ExecutorNames = new Map()
const NONE = '–'
/** Around a run's number while the sentence is put together; no text contains them. */
const OPEN = '\u0001'
const CLOSE = '\u0002'

/** A reason as one sentence, in pieces. A reason that a newer server gives is shown as its word. */
export function reasonParts(reason: string, facts: Facts, names: ExecutorNames = NO_NAMES): Part[] {
  if (!isReason(reason)) return split(reason.trim())
  const more = reason === 'chosen' ? chosenMore(facts) : []
  const words = more.reduce((before, sentence) => t('runs.trace.joined', { before, sentence }), t(`reasons.${reason}`, namedFacts(reason, facts, names)))
  return split(words.trim())
}

export function reasonWords(reason: string, facts: Facts, names: ExecutorNames = NO_NAMES): string {
  return joinParts(reasonParts(reason, facts, names))
}

export function joinParts(parts: readonly Part[]): string {
  return parts.map((part) => part.text).join('')
}

/** Any text with runs marked by `runMark` as pieces. */
export function split(words: string): Part[] {
  return words.split(OPEN).flatMap((piece, index): Part[] => {
    if (index === 0) return piece === '' ? [] : [{ text: piece }]
    const [id = '', rest = ''] = piece.split(CLOSE)
    return [{ text: `#${id}`, runId: Number(id) }, ...(rest === '' ? [] : [{ text: rest }])]
  })
}

/** Names a run inside the values of a text. */
export function runMark(id: number): string {
  return `${OPEN}${id}${CLOSE}`
}

/** The end of an attempt or run in words: `REJECTED_capacity`, `EXIT_CODE`. Null when only the server's own message tells. */
export function runErrorWords(code: string): string | null {
  if (code.startsWith('REJECTED_')) return tMaybe(`runs.rejects.${code.slice('REJECTED_'.length)}`)
  return tMaybe(`runs.errors.${code}`) ?? tMaybe(`workflowRuns.errors.${code}`)
}

/** What the strategy looked at, as further sentences; a trace of an older server has none of it. */
function chosenMore({ whom, key, after, over, passed, uses, running, capacity }: Facts): string[] {
  return [
    typeof whom === 'string' ? t('runs.trace.whom', { whom }) : '',
    typeof key !== 'string' ? '' : key === 'task' ? t('runs.trace.keyTask') : t('runs.trace.key', { key }),
    typeof after === 'string' ? t('runs.trace.afterTried', { name: after }) : '',
    typeof uses === 'number' ? t('runs.trace.uses', { uses }) : '',
    typeof running === 'number' && typeof capacity === 'number' ? t('runs.trace.load', { running, capacity }) : '',
    typeof over === 'number' ? t('runs.trace.over', { most: over }) : '',
    typeof passed === 'number' ? t('runs.trace.passed', { n: passed }) : '',
  ].filter((sentence) => sentence !== '')
}

function isReason(word: string): word is Reason {
  return Object.hasOwn(REASON, word)
}

const EMPTY = { group: NONE, handler: NONE, blocker: NONE, used: NONE, capacity: NONE, executors: NONE, executorId: NONE, executor: NONE, among: NONE, of: NONE, code: NONE, policy: NONE, strategy: NONE, tries: NONE, max: NONE, attempt: NONE, dropped: NONE, lateMs: NONE, delayMs: NONE, waitedMs: NONE, maxMs: NONE, total: NONE, succeeded: NONE, missing: NONE, shards: NONE, problem: NONE, parent: NONE, index: NONE, labels: NONE, calendar: NONE, from: NONE, detail: '' } as const

function namedFacts(reason: Reason, facts: Facts, names: ExecutorNames): Named {
  const named: Record<string, string | number> = { ...EMPTY, by: t('runs.trace.system') }
  for (const [name, value] of Object.entries(facts)) if (value !== null && value !== undefined && value !== '') named[name] = factWord(reason, name, value, names)
  // the group of a run is known by name on most pages, by number at least, and not told at all by traces of older servers
  const group = named['group'] === NONE ? facts['groupId'] : named['group']
  named['inGroup'] = typeof group === 'number' ? t('runs.trace.inGroup', { group: `#${group}` }) : typeof group === 'string' ? t('runs.trace.inGroup', { group }) : ''
  return named
}

function factWord(reason: Reason, name: string, value: unknown, names: ExecutorNames): string | number {
  if (typeof value === 'number') {
    if (name.endsWith('Ms')) return formatDuration(value)
    if (name === 'blocker' || name === 'of' || name === 'parent' || (reason === 'replaced' && name === 'by')) return runMark(value)
    return name === 'executorId' || name === 'executor' ? (names.get(value) ?? `#${value}`) : value
  }
  const word = typeof value === 'string' ? value : JSON.stringify(value)
  switch (name) {
    case 'from':
      // an instant that is written as text, such as that of a firing which a calendar moved
      return reason === 'calendarMoved' && !Number.isNaN(Date.parse(word)) ? formatInZone(word, localZone()) : word
    case 'why':
      return tMaybe(`calendars.leftOut.${word}`) ?? word
    case 'policy':
      return tMaybe(`editor.misfires.${word}`) ?? word
    case 'problem':
      return tMaybe(`runs.shardProblems.${word}`) ?? word
    case 'strategy':
      return tMaybe(`editor.routings.${word}`) ?? word
    case 'code':
      return (reason === 'rejected' ? tMaybe(`runs.rejects.${word}`) : runErrorWords(word)) ?? word
    default:
      return word
  }
}
