/** What a message says, in the words of one language and in no format: each channel writes it in its own. */
import { MESSAGE_INCIDENTS, MESSAGE_RUNS, type AlarmMessage, type MessageRun, type MessageTarget } from '../alarm/message.ts'
import { findZone, formatWall } from '../time/zone.ts'
import { cutText, fillTemplate } from './template.ts'
import type { NoticeWords } from './words-shape.ts'
import { englishWords } from './words-en.ts'
import { chineseWords } from './words-zh.ts'

export const NOTICE_LANGUAGES = ['zh', 'en'] as const
export type NoticeLanguage = (typeof NOTICE_LANGUAGES)[number]

/** Bad: something is wrong. Good: it no longer is. Info: a test. */
export type NoticeTone = 'bad' | 'good' | 'info'

export type NoticeBlock =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'fact'; readonly label: string; readonly value: string }
  /** one of a list: a run, or an incident of a digest */
  | { readonly kind: 'item'; readonly text: string; readonly url: string | null }
  | { readonly kind: 'link'; readonly text: string; readonly url: string }

export interface Notice {
  readonly subject: string
  readonly tone: NoticeTone
  readonly blocks: readonly NoticeBlock[]
}

/** A template of a channel's own; a part that is null is the default one. */
export interface NoticeTemplate {
  readonly subject: string | null
  readonly body: string | null
}

export interface NoticeOptions {
  readonly language: NoticeLanguage
  /** IANA zone in which instants are written; one that is not known is UTC */
  readonly timezone: string
  /** where people reach the console, without a slash at its end; empty: no links */
  readonly publicUrl: string
  readonly template: NoticeTemplate | null
}

/** What a template may name, in the order in which the guide lists it. */
export const NOTICE_FIELDS = [
  'title',
  'event',
  'kind',
  'target',
  'targetKind',
  'group',
  'rule',
  'count',
  'firstAt',
  'lastAt',
  'error',
  'runId',
  'runs',
  'facts',
  'incidents',
  'incidentId',
  'link',
  'runLink',
] as const
export type NoticeField = (typeof NOTICE_FIELDS)[number]

const MOST_FACTS = 12
const NAME_CHARS = 128
const ERROR_CHARS = 500
const VALUE_CHARS = 200

/** A message in words. Bounded whatever the message holds: names 128 characters, errors 500, five runs, twelve facts, twenty incidents. */
export function noticeOf(message: AlarmMessage, options: NoticeOptions): Notice {
  const writer = new Writer(message, options)
  const own = options.template
  const fields = own === null ? null : writer.fields()
  const ownBody = own?.body ?? null
  return {
    subject: oneLine(fields === null || own?.subject == null ? writer.title() : fillTemplate(own.subject, fields)),
    tone: toneOf(message),
    blocks: fields === null || ownBody === null ? writer.blocks() : [{ kind: 'text', text: fillTemplate(ownBody, fields) }],
  }
}

function toneOf({ kind }: AlarmMessage): NoticeTone {
  if (kind === 'recovered') return 'good'
  return kind === 'test' ? 'info' : 'bad'
}

class Writer {
  readonly #message: AlarmMessage
  readonly #words: NoticeWords
  readonly #timezone: string
  readonly #publicUrl: string

  constructor(message: AlarmMessage, { language, timezone, publicUrl }: NoticeOptions) {
    this.#message = message
    this.#words = wordsOf(language)
    this.#timezone = timezone
    this.#publicUrl = publicUrl
  }

  /** `Failed: default/settle (12 times)`. */
  title(): string {
    const { kind, event, count } = this.#message
    const { events, titles } = this.#words
    if (kind === 'test') return titles.test
    if (kind === 'digest') return titles.digest(count, digestSize(this.#message))
    return titles[kind](events[event], this.#target(), count)
  }

  blocks(): NoticeBlock[] {
    const { kind, event, rule, group, count, firstAt, lastAt } = this.#message
    const words = this.#words
    const { labels } = words
    const isTest = kind === 'test'
    const facts: [string, string | null][] = [
      [labels.target, isTest || kind === 'digest' ? null : this.#target()],
      [labels.group, group === null ? null : nameText(group.name)],
      [labels.event, isTest || kind === 'digest' ? null : words.events[event]],
      [labels.rule, rule === null ? null : nameText(rule.name)],
      [labels.count, count > 1 ? String(count) : null],
      [labels.firstAt, isTest || firstAt === lastAt ? null : this.#at(firstAt)],
      [isTest ? labels.sentAt : labels.lastAt, this.#at(lastAt)],
      ...this.#facts(),
    ]
    return [
      { kind: 'text', text: this.#lead() },
      ...facts.flatMap(([label, value]): NoticeBlock[] => (value === null || value === '' ? [] : [{ kind: 'fact', label, value }])),
      ...this.#incidentItems(),
      ...this.#runItems(),
      ...this.#links(),
    ]
  }

  #lead(): string {
    const { kind, event } = this.#message
    if (kind === 'test') return this.#words.testLead
    if (kind === 'digest') return this.#words.digestLead
    return this.#words.leads[kind === 'recovered' ? 'recovered' : event]
  }

  fields(): Record<NoticeField, string> {
    const { kind, event, rule, group, target, count, firstAt, lastAt, runs, incidentId } = this.#message
    const [newest] = runs
    return {
      title: this.title(),
      event: this.#words.events[event],
      kind: this.#words.kinds[kind],
      target: this.#target(),
      targetKind: target === null ? '' : this.#words.targets[target.kind],
      group: group === null ? '' : nameText(group.name),
      rule: rule === null ? '' : nameText(rule.name),
      count: String(count),
      firstAt: this.#at(firstAt),
      lastAt: this.#at(lastAt),
      error: newest?.error == null ? '' : cutText(newest.error, ERROR_CHARS),
      runId: newest === undefined ? '' : String(newest.id),
      runs: this.#runItems().map(itemText).join('\n'),
      facts: this.#facts()
        .map(([label, value]) => `${label}${this.#words.colon}${value}`)
        .join('\n'),
      incidents: this.#incidentItems().map(itemText).join('\n'),
      incidentId: incidentId === null ? '' : String(incidentId),
      link: this.#incidentUrl() ?? '',
      runLink: newest === undefined ? '' : (this.#runUrl(newest) ?? ''),
    }
  }

  #facts(): [label: string, value: string][] {
    const known: Readonly<Record<string, string>> = this.#words.facts
    return Object.entries(this.#message.facts)
      .filter(([name]) => name !== 'incidents')
      .filter(([, value]) => value !== null && value !== '')
      .slice(0, MOST_FACTS)
      .map(([name, value]) => [known[name] ?? name, this.#value(name, value)])
  }

  /** Instants and lengths of time are told by the end of their name, as everywhere in this program. */
  #value(name: string, value: string | number | boolean | null): string {
    if (typeof value === 'boolean') return value ? this.#words.yes : this.#words.no
    if (typeof value !== 'number') return cutText(oneLine(name === 'reason' ? this.#reason(value ?? '') : (value ?? '')), VALUE_CHARS)
    if (/(At|^at)$/.test(name)) return this.#at(value)
    return name.endsWith('Ms') ? this.#words.duration(value) : String(value)
  }

  #reason(code: string): string {
    const known: Readonly<Record<string, string>> = this.#words.reasons
    return known[code] ?? code
  }

  #runItems(): Extract<NoticeBlock, { kind: 'item' }>[] {
    return this.#message.runs.slice(0, MESSAGE_RUNS).map((run) => ({
      kind: 'item',
      text: this.#runText(run),
      url: this.#runUrl(run),
    }))
  }

  #runText({ id, outcome, at, error }: MessageRun): string {
    const outcomes: Readonly<Record<string, string>> = this.#words.outcomes
    const said = error === null || error === '' ? '' : `${this.#words.colon}${cutText(oneLine(error), ERROR_CHARS)}`
    return `${this.#words.run} ${String(id)} · ${outcomes[outcome] ?? outcome} · ${this.#at(at)}${said}`
  }

  #incidentItems(): Extract<NoticeBlock, { kind: 'item' }>[] {
    return this.#message.incidents.slice(0, MESSAGE_INCIDENTS).map(({ id, kind, event, target, count }) => ({
      kind: 'item',
      text: this.#words.titles[kind](this.#words.events[event], targetText(target, this.#words), count),
      url: this.#url(`/alarm/incident/${String(id)}`),
    }))
  }

  #links(): NoticeBlock[] {
    const url = this.#incidentUrl()
    return url === null ? [] : [{ kind: 'link', text: this.#words.open, url }]
  }

  #incidentUrl(): string | null {
    const { incidentId } = this.#message
    return this.#url(incidentId === null ? '/alarm' : `/alarm/incident/${String(incidentId)}`)
  }

  /** Runs behind an incident about a workflow are runs of it. */
  #runUrl({ id }: MessageRun): string | null {
    return this.#url(`/${this.#message.target?.kind === 'workflow' ? 'workflow-run' : 'run'}/${String(id)}`)
  }

  #url(path: string): string | null {
    return this.#publicUrl === '' ? null : `${this.#publicUrl.replace(/\/+$/, '')}${path}`
  }

  #target(): string {
    return targetText(this.#message.target, this.#words)
  }

  #at(at: number): string {
    const zone = findZone(this.#timezone) ?? findZone('UTC')
    return zone === null ? new Date(at).toISOString() : `${formatWall(zone.wallAt(at))} (${zone.name})`
  }
}

function digestSize({ facts, incidents }: AlarmMessage): number {
  const { incidents: told } = facts
  return typeof told === 'number' ? told : incidents.length
}

function targetText(target: MessageTarget | null, words: NoticeWords): string {
  if (target === null) return words.targets.system
  return target.kind === 'task' || target.kind === 'workflow'
    ? nameText(target.name)
    : `${words.targets[target.kind]} ${nameText(target.name)}`
}

function wordsOf(language: NoticeLanguage): NoticeWords {
  return language === 'zh' ? chineseWords : englishWords
}

function itemText({ text, url }: Extract<NoticeBlock, { kind: 'item' }>): string {
  return url === null ? text : `${text} ${url}`
}

function nameText(name: string): string {
  return cutText(oneLine(name), NAME_CHARS)
}

/** Control characters would end a header of a mail, or a line of markdown. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}
