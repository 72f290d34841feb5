import type { ClusterView } from '@tickwheel/contract'
import { call } from './client.ts'

export type { ClusterView } from '@tickwheel/contract'
export type ClusterNode = ClusterView['nodes'][number]
export type ClusterSlot = ClusterView['slots'][number]
export type NodeFacts = NonNullable<ClusterNode['facts']>
export type HeldFiring = NonNullable<ClusterView['held']>
export type RedisState = ClusterView['redis']
export type ResumeHow = 'fromNow' | 'replay'

export const fetchCluster = () => call<ClusterView>({ url: '/cluster' })
export const resumeFiring = (how: ResumeHow) => call<null>({ method: 'POST', url: '/cluster/resume', data: { how } })
