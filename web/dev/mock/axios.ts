import { AxiosError, AxiosHeaders, type AxiosAdapter, type AxiosResponse } from 'axios'
import { http } from '../../src/api/client.ts'
import { answer, type MockRequest } from './answer.ts'
import type { World } from './world.ts'

/** Lets the console's one Axios instance talk to a world in memory; returns the calls that were made, in order. */
export function useMockApi(world: World): MockRequest[] {
  const calls: MockRequest[] = []
  const adapter: AxiosAdapter = async (config) => {
    const headers = AxiosHeaders.from(config.headers)
    const body: unknown = typeof config.data === 'string' ? JSON.parse(config.data) : (config.data ?? null)
    const query = new URLSearchParams(Object.entries<unknown>(config.params ?? {}).map(([name, value]) => [name, String(value)]))
    const request: MockRequest = { method: (config.method ?? 'get').toUpperCase(), path: config.url ?? '', query, body, token: String(headers.get('Authorization') ?? '').replace('Bearer ', '') || null }
    calls.push(request)
    const { status, body: data } = answer(world, request)
    const response: AxiosResponse = { status, statusText: '', data: structuredClone(data), headers: {}, config, request: {} }
    if (status >= 400) throw new AxiosError(String(status), 'ERR_BAD_REQUEST', config, {}, response)
    return response
  }
  http.defaults.adapter = adapter
  return calls
}
