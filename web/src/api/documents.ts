import type { ApplyAnswer } from '@tickwheel/contract'
import { call } from './client.ts'

export type DocumentFormat = 'yaml' | 'json'

const HEADERS = { 'Content-Type': 'application/yaml' } as const

/** `groups`: their names; none: all that may be exported. */
export const exportDocument = (groups: readonly string[], format: DocumentFormat) =>
  call<Blob>({ url: '/export', params: { format, ...(groups.length === 0 ? {} : { groups: groups.join('/') }) }, responseType: 'blob', timeout: 0 })
/** Sent as YAML whatever it is, since JSON is YAML too: then problems carry their lines. */
export const compareDocument = (text: string) => call<ApplyAnswer>({ method: 'POST', url: '/apply', params: { dryRun: true }, data: text, headers: HEADERS, timeout: 0 })
/** What a comparison has shown, or nothing. */
export const applyDocument = (text: string, plan: string) => call<ApplyAnswer>({ method: 'POST', url: '/apply', params: { plan }, data: text, headers: HEADERS, timeout: 0 })
