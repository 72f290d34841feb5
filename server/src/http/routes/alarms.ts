import { AppError, MAX_SILENCE_MS, type RouteId, type Silence } from '@tickwheel/contract'
import { parseInstant } from '@tickwheel/core'
import {
  acknowledgeIncident,
  closeIncident,
  getIncident,
  listIncidentRuns,
  listIncidents,
  silenceIncident,
} from '../../store/alarm-incidents.ts'
import { createRule, deleteRule, getRule, listRules, silenceRule, updateRule } from '../../store/alarm-rules.ts'
import type { Database } from '../../store/database.ts'
import type { MakeChange } from '../change.ts'
import type { HandlersOf } from '../handlers.ts'
import { pageOf } from '../paging.ts'

type AlarmCalls = Extract<RouteId, `${string}AlarmRule` | 'listAlarmRules' | `${string}Incident` | 'listIncidents' | 'listIncidentRuns'>

export function alarmHandlers({
  db,
  change,
  now,
}: {
  readonly db: Database
  readonly change: MakeChange
  readonly now: () => number
}): HandlersOf<AlarmCalls> {
  return {
    listAlarmRules: async ({ query, scope }) => listRules(db, scope, { ...query, ...pageOf(query) }),
    getAlarmRule: async ({ params, scope }) => getRule(db, scope, params.id),
    createAlarmRule: async (asked) => {
      const { ruleId } = await createRule(db, { input: asked.body }, await change(asked))
      return getRule(db, asked.scope, ruleId)
    },
    updateAlarmRule: async (asked) => {
      await updateRule(db, { ruleId: asked.params.id, input: asked.body }, await change(asked))
      return getRule(db, asked.scope, asked.params.id)
    },
    deleteAlarmRule: async (asked) => {
      await deleteRule(db, { ruleId: asked.params.id }, await change(asked))
      return null
    },
    silenceAlarmRule: async (asked) => {
      await silenceRule(db, { ruleId: asked.params.id, until: endOf(asked.body, now()) }, await change(asked))
      return getRule(db, asked.scope, asked.params.id)
    },
    listIncidents: async ({ query, scope }) => listIncidents(db, scope, query),
    getIncident: async ({ params, scope }) => getIncident(db, scope, params.id),
    listIncidentRuns: async ({ params, query, scope }) => listIncidentRuns(db, scope, params.id, pageOf(query)),
    acknowledgeIncident: async (asked) => {
      await acknowledgeIncident(db, { incidentId: asked.params.id }, await change(asked))
      return getIncident(db, asked.scope, asked.params.id)
    },
    silenceIncident: async (asked) => {
      await silenceIncident(db, { incidentId: asked.params.id, until: endOf(asked.body, now()) }, await change(asked))
      return getIncident(db, asked.scope, asked.params.id)
    },
    closeIncident: async (asked) => {
      await closeIncident(db, { incidentId: asked.params.id }, await change(asked))
      return getIncident(db, asked.scope, asked.params.id)
    },
  }
}

/** When a silence ends, epoch ms; null: now. */
function endOf({ until }: Silence, now: number): number | null {
  if (until === null) return null
  const at = parseInstant(until)
  if (at === null || at <= now) throw bad('TOO_SMALL', 'the silence would be over already: give a later instant, or null')
  if (at > now + MAX_SILENCE_MS) throw bad('TOO_LARGE', 'a silence lasts 30 days at most: switch the rule off instead')
  return at
}

function bad(code: 'TOO_SMALL' | 'TOO_LARGE', message: string): AppError {
  return new AppError('UNPROCESSABLE', `until: ${message}`, { errors: [{ path: 'until', code, message }] })
}
