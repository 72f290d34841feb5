import { canBeMasked, REFERENCE_NAME } from '@tickwheel/core'
import type { Secret, Variable } from '@tickwheel/contract'
import { VARIABLE_LIMITS } from '@tickwheel/contract'
import type { VariableKind } from '../../api/variables.ts'
import { t } from '../../locales/text.ts'

/** `groupId` 0: of all groups; null: not chosen yet. */
export interface VariableForm {
  groupId: number | null
  name: string
  value: string
  description: string
}

const NAME = new RegExp(REFERENCE_NAME)

export function formOf(known: Variable | Secret | null, groupId: number | null): VariableForm {
  if (known === null) return { groupId, name: '', value: '', description: '' }
  return { groupId: known.groupId ?? 0, name: known.name, value: 'value' in known ? known.value : '', description: known.description }
}

/** What is wrong before it is sent: `{ name: 'sentence' }`. The value of a secret that is there may be left empty: it stays. */
export function checkForm(kind: VariableKind, form: VariableForm, known: Variable | Secret | null): Record<string, string> {
  const wrong: Record<string, string> = {}
  if (form.groupId === null) wrong['groupId'] = t('variables.groupMissing')
  if (!NAME.test(form.name)) wrong['name'] = t('variables.nameBad')
  const bytes = new TextEncoder().encode(form.value).length
  const max = kind === 'secret' ? VARIABLE_LIMITS.secretBytes : VARIABLE_LIMITS.valueBytes
  if (bytes > max) wrong['value'] = t('variables.tooLong', { max: max / 1024 })
  const isKept = kind === 'secret' && known !== null && form.value === ''
  if (kind === 'secret' && !isKept && !canBeMasked(form.value)) wrong['value'] = t('variables.secretShort')
  return wrong
}

/** The reference as it is written in a task. */
export function referenceTo(kind: VariableKind, name: string): string {
  return `\${{ ${kind === 'variable' ? 'vars' : 'secrets'}.${name} }}`
}
