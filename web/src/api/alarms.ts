import type { AlarmChannel, AlarmChannelCreate, AlarmChannelUpdate, AlarmDelivery, AlarmDeliveryQuery, AlarmPreview, AlarmPreviewBody, AlarmRule, AlarmRuleCreate, AlarmRuleUpdate, ChannelTest, Incident, IncidentListQuery, IncidentRun } from '@tickwheel/contract'
import { call } from './client.ts'
import type { List } from './list.ts'

export interface RuleListQuery {
  page?: number
  pageSize?: number
  keyword?: string
  groupId?: number
}

export const listIncidents = (query: IncidentListQuery) => call<List<Incident>>({ url: '/alarm/incident', params: query })
export const getIncident = (id: number) => call<Incident>({ url: `/alarm/incident/${id}` })
export const listIncidentRuns = (id: number, query: { page: number; pageSize: number }) => call<List<IncidentRun>>({ url: `/alarm/incident/${id}/run`, params: query })
export const acknowledgeIncident = (id: number) => call<Incident>({ method: 'POST', url: `/alarm/incident/${id}/acknowledge` })
export const closeIncident = (id: number) => call<Incident>({ method: 'POST', url: `/alarm/incident/${id}/close` })
export const silenceIncident = (id: number, until: string | null) => call<Incident>({ method: 'POST', url: `/alarm/incident/${id}/silence`, data: { until } })

export const listRules = (query: RuleListQuery) => call<List<AlarmRule>>({ url: '/alarm/rule', params: query })
export const createRule = (body: AlarmRuleCreate) => call<AlarmRule>({ method: 'POST', url: '/alarm/rule', data: body })
export const updateRule = (id: number, body: AlarmRuleUpdate) => call<AlarmRule>({ method: 'PUT', url: `/alarm/rule/${id}`, data: body })
export const deleteRule = (id: number) => call<null>({ method: 'DELETE', url: `/alarm/rule/${id}` })
export const silenceRule = (id: number, until: string | null) => call<AlarmRule>({ method: 'POST', url: `/alarm/rule/${id}/silence`, data: { until } })

export const listChannels = (query: { page?: number; pageSize?: number; keyword?: string } = {}) => call<List<AlarmChannel>>({ url: '/alarm/channel', params: query })
export const getChannel = (id: number) => call<AlarmChannel>({ url: `/alarm/channel/${id}` })
export const createChannel = (body: AlarmChannelCreate) => call<AlarmChannel>({ method: 'POST', url: '/alarm/channel', data: body })
export const updateChannel = (id: number, body: AlarmChannelUpdate) => call<AlarmChannel>({ method: 'PUT', url: `/alarm/channel/${id}`, data: body })
export const deleteChannel = (id: number) => call<null>({ method: 'DELETE', url: `/alarm/channel/${id}` })
export const testChannel = (id: number) => call<ChannelTest>({ method: 'POST', url: `/alarm/channel/${id}/test` })
export const previewMessage = (body: AlarmPreviewBody) => call<AlarmPreview>({ method: 'POST', url: '/alarm/preview', data: body })

export const listDeliveries = (query: AlarmDeliveryQuery) => call<List<AlarmDelivery>>({ url: '/alarm/delivery', params: query })
export const retryDelivery = (id: number) => call<AlarmDelivery>({ method: 'POST', url: `/alarm/delivery/${id}/retry` })
