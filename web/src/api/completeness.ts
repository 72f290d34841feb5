import type { Completeness, LedgerFinding, RecoveryReport } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

export type { Completeness, LedgerFinding, RecoveryReport, RecoveryTask } from '@tickwheel/contract'
export type FindingKind = LedgerFinding['kind']
export type HourFigures = Completeness['hours'][number]

/** Of the last 24 hours. */
export const fetchCompleteness = () => call<Completeness>({ url: '/completeness' })
export const listFindings = () => call<List<LedgerFinding>>({ url: '/completeness/finding' })
export const listRecoveries = () => call<List<RecoveryReport>>({ url: '/recovery' })
