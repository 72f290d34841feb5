/** What a person fills in about a rule, and what is sent. */
import type { AlarmCondition, AlarmRule, AlarmRuleCreate } from '@tickwheel/contract'
import { ALARM_EVENTS, type AlarmEvent } from '@tickwheel/core'
import { t } from '../../locales/text.ts'
import { formatDuration } from '../../utils/duration.ts'
import { localZone } from '../../utils/time.ts'

/** Every condition with its numbers, whether it is chosen or not: what was typed is kept while one is switched off and on. */
export interface ConditionForm {
  chosen: boolean
  times: number
  windowMs: number
  afterMs: number
  percent: number
  by: string
  timezone: string
}

export interface RuleForm {
  name: string
  /** null: everything */
  groupId: number | null
  taskIds: number[]
  channelIds: number[]
  grouping: 'target' | 'rule'
  tellsRecovery: boolean
  isQuiet: boolean
  quiet: { from: string; to: string; timezone: string }
  enabled: boolean
  conditions: Record<AlarmEvent, ConditionForm>
}

const MINUTE_MS = 60_000
/** What a new rule tells: what nobody wants to miss. */
const FIRST: readonly AlarmEvent[] = ['failed', 'timedOut', 'lost', 'missed']

export function ruleFormOf(rule: AlarmRule | null, groupId: number | null): RuleForm {
  const zone = localZone()
  return {
    name: rule?.name ?? '',
    groupId: rule === null ? groupId : rule.groupId,
    taskIds: [...(rule?.taskIds ?? [])],
    channelIds: [...(rule?.channelIds ?? [])],
    grouping: rule?.grouping ?? 'target',
    tellsRecovery: rule?.tellsRecovery ?? true,
    isQuiet: rule?.quietHours != null,
    quiet: { from: rule?.quietHours?.from ?? '22:00', to: rule?.quietHours?.to ?? '07:00', timezone: rule?.quietHours?.timezone ?? zone },
    enabled: rule?.enabled ?? true,
    conditions: Object.fromEntries(ALARM_EVENTS.map((event) => [event, conditionForm(event, rule, zone)])) as Record<AlarmEvent, ConditionForm>,
  }
}

function conditionForm(event: AlarmEvent, rule: AlarmRule | null, timezone: string): ConditionForm {
  const plain = { chosen: rule === null && FIRST.includes(event), times: event === 'failedInWindow' ? 5 : 3, windowMs: 10 * MINUTE_MS, afterMs: MINUTE_MS, percent: 200, by: '08:30', timezone }
  const found = rule?.conditions.find((condition) => condition.event === event)
  return found === undefined ? plain : { ...plain, ...found, chosen: true }
}

/** What is wrong before it is sent. The server checks again. */
export function checkRule(form: RuleForm, mayWatchAll: boolean): Record<string, string> {
  const wrong: Record<string, string> = {}
  if (form.name.trim() === '') wrong['name'] = t('alarms.rules.nameMissing')
  if (form.groupId === null && !mayWatchAll) wrong['groupId'] = t('alarms.rules.groupMissing')
  if (chosenEvents(form).length === 0) wrong['conditions'] = t('alarms.rules.conditionMissing')
  else if (form.conditions.unfinished.chosen && form.taskIds.length === 0) wrong['conditions'] = t('alarms.rules.tasksMissing')
  return wrong
}

export function chosenEvents(form: RuleForm): AlarmEvent[] {
  return ALARM_EVENTS.filter((event) => form.conditions[event].chosen)
}

/** What the form does not show of a rule stays as it was: the days of quiet hours, the reasons of `missed`. */
export function ruleBodyOf(form: RuleForm, before: AlarmRule | null): AlarmRuleCreate {
  const days = before?.quietHours?.days
  return {
    name: form.name.trim(),
    groupId: form.groupId,
    taskIds: form.taskIds,
    conditions: chosenEvents(form).map((event) => conditionOf(event, form.conditions[event], before)),
    channelIds: form.channelIds,
    grouping: form.grouping,
    tellsRecovery: form.tellsRecovery,
    quietHours: form.isQuiet ? { ...form.quiet, ...(days === undefined ? {} : { days }) } : null,
    enabled: form.enabled,
  }
}

function conditionOf(event: AlarmEvent, { times, windowMs, afterMs, percent, by, timezone }: ConditionForm, before: AlarmRule | null): AlarmCondition {
  switch (event) {
    case 'failedInARow':
      return { event, times }
    case 'failedInWindow':
      return { event, times, windowMs }
    case 'late':
    case 'noExecutor':
      return { event, afterMs }
    case 'slow':
      return { event, percent }
    case 'unfinished': {
      const old = before?.conditions.find((condition) => condition.event === event)
      return { event, by, timezone, ...(old?.event === event && old.days !== undefined ? { days: old.days } : {}) }
    }
    case 'missed': {
      const old = before?.conditions.find((condition) => condition.event === event)
      return old?.event === event ? old : { event }
    }
    case 'failed':
    case 'timedOut':
    case 'lost':
    case 'queueFull':
    case 'nodeDown':
    case 'incomplete':
    case 'undeliverable':
      return { event }
  }
}

/** A condition in words: `3 runs in a row fail`. */
export function conditionWords(condition: AlarmCondition): string {
  switch (condition.event) {
    case 'failedInARow':
      return t('alarms.rules.words.failedInARow', { n: condition.times ?? 3 })
    case 'failedInWindow':
      return t('alarms.rules.words.failedInWindow', { n: condition.times ?? 5, span: formatDuration(condition.windowMs ?? 10 * MINUTE_MS) })
    case 'late':
    case 'noExecutor':
      return t(`alarms.rules.words.${condition.event}`, { span: formatDuration(condition.afterMs ?? MINUTE_MS) })
    case 'unfinished':
      return t('alarms.rules.words.unfinished', { by: condition.by, zone: condition.timezone })
    case 'slow':
      return t('alarms.rules.words.slow', { percent: condition.percent ?? 200 })
    case 'failed':
    case 'timedOut':
    case 'lost':
    case 'missed':
    case 'queueFull':
    case 'nodeDown':
    case 'incomplete':
    case 'undeliverable':
      return t(`alarms.rules.words.${condition.event}`)
  }
}
