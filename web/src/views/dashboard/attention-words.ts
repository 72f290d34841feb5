import type { RouteLocationRaw } from 'vue-router'
import type { Attention } from '../../api/dashboard.ts'
import { reasonWords, runErrorWords } from '../../locales/reason-words.ts'
import { t, tMaybe } from '../../locales/text.ts'
import { formatCount } from '../../utils/count.ts'

/** What is wrong with something, in words, and where it is explained. */
export interface AttentionWords {
  readonly what: string
  /** what it is about; empty: the words say it */
  readonly about: string
  readonly more: string
  readonly to: RouteLocationRaw
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const recordOf = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? { ...value } : {})

export function attentionWords(item: Attention): AttentionWords {
  const count = { n: item.n, count: formatCount(item.n) }
  const page = item.isWorkflow ? 'workflow' : 'task'
  const ofThing = (query: Record<string, string> = {}): RouteLocationRaw => ({ name: page, params: { id: item.id ?? 0 }, query })
  const about = item.name
  switch (item.kind) {
    case 'finding':
      return { about, what: tMaybe(`dashboard.findings.kinds.${textOf(item.facts['finding'])}`) ?? t('dashboard.attention.finding'), more: '', to: ofThing({ tab: 'why', at: textOf(item.facts['dueAt']) }) }
    case 'held':
      return { about, what: t('dashboard.attention.held'), more: '', to: ofThing() }
    case 'paused':
      return { about, what: t('dashboard.attention.paused', count), more: '', to: ofThing() }
    case 'failing': {
      const runId = Number(item.facts['runId'])
      const to = { name: item.isWorkflow ? 'workflow-run' : 'run', params: { id: runId } }
      return { about, what: t('dashboard.attention.failing', count), more: runErrorWords(textOf(item.facts['code'])) ?? '', to }
    }
    case 'incident':
      return { about, what: tMaybe(`alarms.events.${textOf(item.facts['event'])}`) ?? t('dashboard.attention.incident'), more: t('dashboard.attention.rule', { name: textOf(item.facts['ruleName']) }), to: { name: 'incident', params: { id: item.id ?? 0 } } }
    case 'channel':
      return { about, what: t('dashboard.attention.channel', count), more: '', to: { name: 'alarm-deliveries', query: { channel: item.id ?? undefined, state: 'failed' } } }
    case 'overdue':
      return { about, what: t('dashboard.attention.overdue'), more: '', to: ofThing({ tab: 'why', at: item.at ?? '' }) }
    case 'waiting': {
      const reason = textOf(item.facts['reason'])
      const more = reason === '' ? '' : reasonWords(reason, { group: item.groupName, ...recordOf(item.facts['facts']) })
      return { about: item.groupName, what: t('dashboard.attention.waiting', count), more, to: { name: 'runs', query: { state: 'queued', group: item.groupId ?? undefined } } }
    }
    case 'executorsGone': {
      const isNoneLeft = item.facts['isNoneLeft'] === true
      const what = isNoneLeft ? t('dashboard.attention.noExecutor') : t('dashboard.attention.executorsGone', count)
      return { about: item.groupName, what, more: t('dashboard.attention.lastSeen', { name: item.name }), to: { name: 'executors', query: { group: item.groupId ?? undefined, state: 'offline' } } }
    }
  }
}
