/** The answer to "why did it (not) run?": one sentence, then the facts, then what would change it. Words only; the page draws them. */
import type { WhyAnswer, WhyCalendar } from '@tickwheel/contract'
import { scheduleWords } from '../../components/schedule-words.ts'
import type { Messages } from '../../locales/en.ts'
import { joinParts, reasonWords, runMark, split, type Part } from '../../locales/reason-words.ts'
import { t, tMaybe } from '../../locales/text.ts'
import { formatDuration } from '../../utils/duration.ts'
import { formatInZone, formatWeekday, localZone } from '../../utils/time.ts'

export type Fact =
  | { readonly label: string; readonly kind: 'instant'; readonly at: string }
  | { readonly label: string; readonly kind: 'range'; readonly from: string; readonly to: string }
  | { readonly label: string; readonly kind: 'words'; readonly parts: readonly Part[] }

export interface Why {
  readonly tone: 'good' | 'bad' | 'plain'
  readonly sentence: readonly Part[]
  readonly more: string
  readonly facts: readonly Fact[]
  readonly changes: readonly string[]
}

export function explain(answer: WhyAnswer): Why {
  return { tone: toneOf(answer), sentence: sentenceOf(answer), more: moreOf(answer), facts: factsOf(answer), changes: changesOf(answer) }
}

function toneOf({ verdict }: WhyAnswer): Why['tone'] {
  switch (verdict) {
    case 'fired':
    case 'folded':
      return 'good'
    case 'skipped':
    case 'overdue':
    case 'held':
      return 'bad'
    case 'notDue':
    case 'paused':
    case 'beforeTask':
    case 'notYet':
    case 'deleted':
    case 'unknown':
      return 'plain'
  }
}

function sentenceOf(answer: WhyAnswer): Part[] {
  const { verdict, entry, facts } = answer
  if (isManual(answer)) return split(t('task.why.manual.sentence'))
  const run = entry?.kind === 'fired' ? runMark(entry.instanceId) : '–'
  if (answer.calendar?.reason === 'calendarExcluded' && (verdict === 'notDue' || verdict === 'notYet')) return split(calendarSentence(answer.calendar))
  const reason = entry?.kind === 'skipped' ? marked(entry.reason, entry.facts) : word(facts['reason'])
  return split(t(`task.why.verdicts.${verdict}`, { run, reason }).trim())
}

/** The instant was one of the schedule's, and its calendar took it away. */
function calendarSentence({ name, movedTo, why, day }: WhyCalendar): string {
  const words = { calendar: name, day: day ?? t(`calendars.leftOut.${why}`) }
  return movedTo === null ? t('task.why.calendar.excluded', words) : t('task.why.calendar.movedAway', { ...words, to: formatInstantWords(movedTo) })
}

function formatInstantWords(at: string): string {
  return `${formatInZone(at, localZone())} ${formatWeekday(at, localZone())}`
}

/** A reason's sentence with its runs still marked, to be part of another sentence. */
function marked(reason: string, facts: Readonly<Record<string, unknown>>): string {
  return reasonWords(reason, facts).replaceAll(/#(\d+)/g, (_all, id: string) => runMark(Number(id)))
}

/** A task that was only run by hand was never stopped, and never due. */
function isManual({ verdict, schedule }: WhyAnswer): boolean {
  return schedule?.kind === 'manual' && (verdict === 'paused' || verdict === 'notDue' || verdict === 'notYet')
}

function moreOf(answer: WhyAnswer): string {
  const { verdict, nextDueAt, at } = answer
  if (isManual(answer)) return t('task.why.manual.more')
  if (answer.calendar?.reason === 'calendarExcluded') return t(answer.calendar.movedTo === null ? 'task.why.calendar.more' : 'task.why.calendar.moreMoved')
  if (answer.calendar?.reason === 'calendarMoved' && verdict === 'fired') return t('task.why.calendar.moreMovedHere')
  if (verdict === 'notYet' && nextDueAt !== null && nextDueAt !== at) return t('task.why.more.notYetNotDue')
  return tMaybe(`task.why.more.${verdict}`) ?? ''
}

function factsOf(answer: WhyAnswer): Fact[] {
  const { entry } = answer
  const facts: (Fact | null)[] = [
    entry?.kind === 'fired' && entry.dueAt !== answer.at ? instant('due', entry.dueAt) : null,
    entry?.kind === 'fired' ? words('run', [{ text: `#${entry.instanceId}`, runId: entry.instanceId }]) : null,
    ...runFacts(answer.run),
    entry?.kind === 'skipped' || entry?.kind === 'folded' ? rangeOf(entry.fromAt, entry.toAt) : null,
    entry?.kind === 'skipped' && entry.count !== null && entry.fromAt !== entry.toAt ? words('count', plain(entry.count)) : null,
    entry?.kind === 'folded' ? words('folded', plain(entry.count)) : null,
    ...(entry?.kind === 'skipped' ? skipFacts(entry.facts) : []),
    entry?.kind === 'skipped' ? instant('decided', entry.decidedAt) : null,
    ...calendarFacts(answer.calendar),
    answer.schedule === null ? null : words('schedule', plain(scheduleWords(answer.schedule))),
    answer.taskVersion === null ? null : words('version', plain(answer.taskVersion)),
    answer.previousDueAt === null ? null : instant('previous', answer.previousDueAt),
    answer.nextDueAt === null ? null : instant('next', answer.nextDueAt),
    typeof answer.facts['createdAt'] === 'string' ? instant('created', answer.facts['createdAt']) : null,
  ]
  return facts.filter((fact) => fact !== null)
}

function calendarFacts(calendar: WhyCalendar | undefined): Fact[] {
  if (calendar === undefined) return []
  const { name, version, why, day, movedFrom, movedTo } = calendar
  const reason = t(`calendars.leftOut.${why}`)
  return [
    words('calendar', plain(t('task.why.calendar.named', { name, version }))),
    words('calendarDay', plain(day === null ? reason : t('task.why.calendar.day', { day, reason }))),
    ...(movedFrom === null ? [] : [instant('movedFrom', movedFrom)]),
    ...(movedTo === null ? [] : [instant('movedTo', movedTo)]),
  ]
}

/** Late is what people would notice. */
const LATE_MS = 1_000

function runFacts(run: WhyAnswer['run']): Fact[] {
  if (run === null) return []
  const { firedAt, lateMs, attempts } = run
  return [
    ...(lateMs < LATE_MS ? [] : [instant('fired', firedAt), words('late', plain(formatDuration(lateMs)))]),
    ...(attempts > 1 ? [words('attempts', plain(attempts))] : []),
  ]
}

function skipFacts(facts: Readonly<Record<string, unknown>>): Fact[] {
  const found: Fact[] = []
  const { lateMs, policy, blocker, max } = facts
  if (typeof lateMs === 'number') found.push(words('late', plain(formatDuration(lateMs))))
  if (typeof policy === 'string') found.push(words('policy', plain(tMaybe(`editor.misfires.${policy}`) ?? policy)))
  if (typeof blocker === 'number') found.push(words('blocker', [{ text: `#${blocker}`, runId: blocker }]))
  if (typeof max === 'number') found.push(words('max', plain(max)))
  return found
}

function changesOf(answer: WhyAnswer): string[] {
  const { verdict, entry } = answer
  if (isManual(answer)) return [t('task.why.manual.change')]
  if (verdict === 'skipped' && entry?.kind === 'skipped') return [...changeOfSkip(entry.reason), ...(entry.reason === 'restored' ? [] : [t('task.why.changes.byHand')])]
  if (answer.calendar?.reason === 'calendarExcluded') return [t('task.why.calendar.change', { name: answer.calendar.name })]
  if (verdict === 'paused' || verdict === 'notDue' || verdict === 'held' || verdict === 'overdue') return [t(`task.why.changes.${verdict}`)]
  return []
}

function changeOfSkip(reason: string): string[] {
  switch (reason) {
    case 'misfire':
      return [t('task.why.changes.misfire', { field: t('editor.labels.misfire'), all: t('editor.misfires.fireAll') })]
    case 'overlap':
      return [t('task.why.changes.overlap', { field: t('editor.labels.overlap'), queue: t('editor.overlaps.queue'), parallel: t('editor.overlaps.parallel') })]
    case 'queueFull':
      return [t('task.why.changes.queueFull', { field: t('editor.labels.overlap') })]
    case 'stoppedFirst':
      return [t('task.why.changes.stoppedFirst')]
    case 'restored':
      return [t('task.why.changes.restored')]
    default:
      return []
  }
}

type FactName = keyof Messages['task']['why']['fact']

function instant(name: FactName, at: string): Fact {
  return { label: t(`task.why.fact.${name}`), kind: 'instant', at }
}
function rangeOf(from: string, to: string): Fact {
  return from === to ? instant('due', from) : { label: t('task.why.fact.range'), kind: 'range', from, to }
}
function words(name: FactName, parts: readonly Part[]): Fact {
  return { label: t(`task.why.fact.${name}`), kind: 'words', parts }
}
function plain(value: string | number): Part[] {
  return [{ text: String(value) }]
}
function word(value: unknown): string {
  return typeof value === 'string' ? (tMaybe(`reasons.${value}`) ?? value) : ''
}

/** The sentence alone, for a tooltip or a test. */
export function whySentence(answer: WhyAnswer): string {
  return joinParts(sentenceOf(answer))
}
