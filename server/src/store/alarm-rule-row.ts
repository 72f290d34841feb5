import { AlarmCondition, QuietHours } from '@tickwheel/contract'
import { conditionOf, type Condition, type QuietTime, type WatchRule } from '@tickwheel/core'
import { Compile } from 'typebox/compile'
import { parseJson } from './definition.ts'
import type { AlarmRuleRow } from './schema.ts'

const conditionCheck = Compile(AlarmCondition)
const quietCheck = Compile(QuietHours)

/** The conditions of a stored rule as a person wrote them. One that this program does not know (a newer version wrote it) is left out. */
export function conditionsOf({ conditions }: Pick<AlarmRuleRow, 'conditions'>): AlarmCondition[] {
  const value = parseJson(conditions)
  return Array.isArray(value) ? value.filter((one) => conditionCheck.Check(one)) : []
}

export function compiledConditions(row: Pick<AlarmRuleRow, 'conditions'>): Condition[] {
  return conditionsOf(row).map((condition) => conditionOf(withoutAbsent(condition)))
}

export function idsIn(text: string): number[] {
  const value = parseJson(text)
  return Array.isArray(value) ? value.filter((id) => typeof id === 'number') : []
}

export function quietOf({ quiet_hours: text }: Pick<AlarmRuleRow, 'quiet_hours'>): QuietHours | null {
  const value = text === null ? null : parseJson(text)
  return quietCheck.Check(value) ? value : null
}

export function quietTimeOf(row: Pick<AlarmRuleRow, 'quiet_hours'>): QuietTime | null {
  const quiet = quietOf(row)
  return quiet === null ? null : withoutAbsent(quiet)
}

export function watchRuleOf(row: AlarmRuleRow): WatchRule {
  return { id: row.id, groupId: row.group_id, taskIds: idsIn(row.task_ids), conditions: compiledConditions(row) }
}

type WithoutAbsent<T> = T extends unknown ? { [Key in keyof T]: Exclude<T[Key], undefined> } : never

/** An optional field of the wire may be there without a value; for core it is not there. */
function withoutAbsent<T extends object>(value: T): WithoutAbsent<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as WithoutAbsent<T>
}
