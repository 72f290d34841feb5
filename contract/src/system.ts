import { Type } from 'typebox'
import { defineRoute } from './route.ts'
import { strict } from './shape.ts'

const Ready = strict({ ready: Type.Boolean(), checks: Type.Record(Type.String(), Type.String()) })
const tag = 'system'
export const systemRoutes = [
  defineRoute({
    id: 'healthz',
    method: 'GET',
    path: '~/healthz',
    access: 'public',
    budget: 'none',
    tag,
    summary: 'The process is alive',
    status: 200,
    answer: strict({ status: Type.Literal('ok') }),
  }),
  defineRoute({
    id: 'readyz',
    method: 'GET',
    path: '~/readyz',
    access: 'public',
    budget: 'none',
    tag,
    summary:
      'Store, slots and calls are fine; 503 with the reason. A Redis that is away (`redis`) costs speed only, and held firing (`firing`) needs people: both are told, and the node stays ready',
    status: 200,
    answer: Ready,
  }),
  defineRoute({
    id: 'metrics',
    method: 'GET',
    path: '~/metrics',
    access: 'system:view',
    budget: 'none',
    tag,
    summary: 'Prometheus metrics',
    status: 200,
    answer: Type.String(),
  }),
  defineRoute({
    id: 'openapi',
    method: 'GET',
    path: '/openapi.json',
    access: 'public',
    budget: 'read',
    tag,
    summary: 'This API as an OpenAPI document',
    status: 200,
    answer: Type.Unknown(),
  }),
] as const
