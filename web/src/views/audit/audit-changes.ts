import type { AuditEntry } from '@tickwheel/contract'
import { fieldChanges, type FieldChange } from '../../components/versions/diff.ts'
import { t } from '../../locales/text.ts'
import { formatBytes } from '../../utils/bytes.ts'

type Fields = AuditEntry['before']

/** What was changed, field by field; a value that is kept as its digest only is told as such. */
export function auditChanges(before: Fields, after: Fields): FieldChange[] {
  return fieldChanges(readable(before), readable(after))
}

/** What was given, or was there: an entry of one side only. */
export function auditValues(fields: Fields): readonly { readonly path: string; readonly value: string }[] {
  return fieldChanges({}, readable(fields)).map(({ path, now }) => ({ path, value: now }))
}

function readable(fields: Fields): object {
  return Object.fromEntries(Object.entries(fields ?? {}).map(([name, value]) => [name, digestOf(value) ?? value]))
}

function digestOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('sha256' in value) || !('length' in value)) return null
  const { sha256, length } = value
  if (typeof sha256 !== 'string' || typeof length !== 'number' || Object.keys(value).length !== 2) return null
  return t('audit.detail.digest', { size: formatBytes(length), sha: sha256 })
}
