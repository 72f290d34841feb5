import type { Dashboard, DashboardQuery } from '@tickwheel/contract'
import { call } from './client.ts'

export type { Attention, ComingFiring, Dashboard, DashboardHour, GroupLoad } from '@tickwheel/contract'
export type Executors = NonNullable<Dashboard['executors']>
export type Coming = NonNullable<Dashboard['coming']>

export const fetchDashboard = (query: DashboardQuery) => call<Dashboard>({ url: '/dashboard', params: query })
