import { STORAGE_KINDS, type StorageKind } from '@tickwheel/contract'
import type { StorageAnswer, StorageTable } from '../../api/storage.ts'

export function sizeOf({ bytes, indexBytes }: StorageTable): number {
  return bytes + indexBytes
}

/** The size of the largest table; never 0, so that it can be divided by. */
export function largest(tables: readonly StorageTable[]): number {
  return tables.reduce((most, table) => Math.max(most, sizeOf(table)), 1)
}

/** What is kept for what, the most first; what there is nothing of is left out. */
export function kindSums(tables: readonly StorageTable[]): { readonly kind: StorageKind; readonly bytes: number }[] {
  return STORAGE_KINDS.map((kind) => ({ kind, bytes: tables.filter((table) => table.kind === kind).reduce((sum, table) => sum + sizeOf(table), 0) }))
    .filter(({ bytes }) => bytes > 0)
    .sort((one, other) => other.bytes - one.bytes)
}

const NAMES = ['runsDays', 'failuresDays', 'logsDays', 'ledgerDays', 'auditDays'] as const

export function daysOf(retention: StorageAnswer['retention']): { readonly name: (typeof NAMES)[number]; readonly days: number }[] {
  return NAMES.map((name) => ({ name, days: retention[name] }))
}

/** How much the store grew each day, between the first and the last of its sizes; null: they are not a day apart. */
export function growthOfDay(history: StorageAnswer['history']): number | null {
  const [first, last] = [history[0], history.at(-1)]
  if (first === undefined || last === undefined) return null
  const days = (Date.parse(last.at) - Date.parse(first.at)) / 86_400_000
  return days < 1 ? null : (last.bytes - first.bytes) / days
}
