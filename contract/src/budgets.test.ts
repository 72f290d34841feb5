import type { Budget } from '@tickwheel/core'
import { describe, expect, it } from 'vitest'
import type { RouteDescriptor } from './route.ts'
import { routes } from './routes.ts'

const descriptors: readonly RouteDescriptor[] = routes

/** What is asked often by those who watch over the server, and must not be refused when it is busy. */
const FREE = ['GET ~/healthz', 'GET ~/readyz', 'GET ~/metrics']
/** They change nothing, although they have a body. */
const READING = ['POST /schedule/preview', 'POST /workflow/validate', 'POST /alarm/preview']

function allowed({ method, path, access }: RouteDescriptor): readonly (Budget | 'none')[] {
  if (FREE.includes(`${method} ${path}`)) return ['none']
  if (access.startsWith('executor') && !access.includes(':')) return ['executor']
  if (/^\/auth\/(login|refresh)$/.test(path)) return ['login']
  if (method === 'POST' && /^\/(?!alarm).*\/(trigger|retry)$/.test(path)) return ['trigger']
  if (method === 'GET') return ['read', 'heavy']
  return READING.includes(`${method} ${path}`) ? ['read'] : ['write', 'heavy']
}

describe('the budget of a call', () => {
  it.each(descriptors.map((route) => [`${route.method} ${route.path}`, route] as const))('%s is one that its kind has', (_call, route) => {
    expect(allowed(route)).toContain(route.budget)
  })

  it('is a heavy one where much is made or read', () => {
    const heavy = descriptors.filter(({ path }) =>
      /\/raw$|\/(backfill|bulk)(\/preview)?$|\/export$|\/import$|\/apply$|\/impact$/.test(path),
    )
    for (const route of heavy.filter(({ method, path }) => method === 'POST' || path.endsWith('/raw')))
      expect([route.path, route.budget]).toEqual([route.path, 'heavy'])
  })
})
