import { Problem, routes, type RouteDescriptor } from '@tickwheel/contract'
import type { TSchema } from 'typebox'
import { pathOf } from './register.ts'

type Json = Record<string, unknown>

/** This API as an OpenAPI 3.1 document, made from the route descriptors. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = pathOf(route).replace(/:(\w+)/g, '{$1}')
    const methods = (paths[path] ??= {})
    methods[route.method.toLowerCase()] = operationOf(route)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tickwheel',
      version,
      description:
        'Distributed task scheduler. Errors are `application/problem+json` (RFC 9457) with a stable `code`; invalid input names every wrong field in `errors`.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'the JWT of POST /auth/login; for executors, their executor token or session token',
        },
      },
      schemas: { Problem },
    },
  }
}

function operationOf(route: RouteDescriptor): Json {
  const access =
    route.access === 'public'
      ? 'Nobody needs to sign in.'
      : route.access === 'self'
        ? 'Anyone signed in.'
        : route.access === 'person'
          ? 'Anyone signed in with a password, no API token.'
          : `Needs \`${route.access}\`.`
  const budget = route.budget === 'none' ? '' : ` Rate-limit budget \`${route.budget}\`.`
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    description: access + budget,
    security: route.access === 'public' ? [] : [{ bearer: [] }],
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(route.idempotent === true ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: bodyOf(route) } }),
    responses: {
      [String(route.status)]: successOf(route),
      default: { description: 'Problem', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
  }
}

/** The YAML form of a workflow names the group: `group: NAME` in place of `groupId`. */
function bodyOf({ body, yaml }: RouteDescriptor): Json {
  return { 'application/json': { schema: body }, ...(yaml === undefined ? {} : { 'application/yaml': { schema: yaml } }) }
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'a repeat within 24 h answers what the first call answered',
  schema: { type: 'string', maxLength: 255 },
}
const PLAIN_TEXT = new Set(['rawLogs', 'metrics', 'exportAudit'])

function successOf(route: RouteDescriptor): Json {
  if (route.status === 204) return { description: 'Done' }
  return {
    description: 'Success',
    content: {
      [PLAIN_TEXT.has(route.id) ? 'text/plain' : 'application/json']: { schema: route.answer },
      ...(route.yaml !== undefined && route.method === 'GET' ? { 'application/yaml': { schema: route.yaml } } : {}),
    },
  }
}

function parametersOf(schema: TSchema | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined || !('properties' in schema)) return []
  const { properties, required = [] } = schema as { properties: Record<string, TSchema>; required?: string[] }
  return Object.entries(properties).map(([name, inner]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: inner,
  }))
}
