import type { IncomingHttpHeaders } from 'node:http'
import type { Origin } from './sessions.ts'

const FORWARDING = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via']

/** Where a call comes from. Exposed: the server listens beyond loopback, or a proxy stands between. */
export function originOf(
  request: { readonly headers: IncomingHttpHeaders; readonly ip: string; readonly id: string },
  listensBeyondLoopback: boolean,
): Origin {
  const isProxied =
    FORWARDING.some((header) => request.headers[header] !== undefined) || !isLoopbackHost(hostNameOf(request.headers.host ?? ''))
  return { ip: request.ip, requestId: request.id, isExposed: listensBeyondLoopback || isProxied }
}

/** Whether a host name or address can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

function hostNameOf(host: string): string {
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : (host.split(':')[0] ?? '').toLowerCase()
}
