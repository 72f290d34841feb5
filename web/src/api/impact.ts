import type { ScheduleImpact, ScheduleInput } from '@tickwheel/contract'
import { call } from './client.ts'

export type ImpactKind = 'task' | 'workflow'

export const scheduleImpact = (kind: ImpactKind, id: number, schedule: ScheduleInput) => call<ScheduleImpact>({ method: 'POST', url: `/${kind}/${id}/impact`, data: { schedule } })
