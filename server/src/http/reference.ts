import { ERROR_STATUS, FIELD_CODES, routes, type RouteDescriptor } from '@tickwheel/contract'
import { BUDGETS } from '@tickwheel/core'
import type { TSchema } from 'typebox'
import { pathOf } from './register.ts'

interface Shape {
  readonly type?: string
  readonly anyOf?: readonly Shape[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly items?: Shape | readonly Shape[]
  readonly format?: string
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly default?: unknown
  readonly description?: string
}

/** `docs/reference/api.md`: every call, made from the route descriptors. */
export function renderApiReference(): string {
  const tags = [...new Set(routes.map((route) => route.tag))]
  return [
    '# HTTP API',
    '',
    'Generated from the route descriptors in `contract/src`; a test fails when it is stale (`npx vitest run server/src/http -u`). A running server gives the same as an OpenAPI 3.1 document at `/api/v1/openapi.json`, to browse at `/docs`.',
    '',
    'Send `Authorization: Bearer <token>`: the JWT of a sign-in, or for executors their executor token or session token. Bodies are JSON. Instants are ISO 8601 in UTC, durations end in `Ms`. An unknown field is refused. Errors are `application/problem+json` with a stable `code`; invalid input names every wrong field in `errors`.',
    '',
    ...tags.flatMap((tag) => [`## ${tag}`, '', ...routes.filter((route) => route.tag === tag).flatMap(callOf)]),
    ...errors(),
    ...budgets(),
    '',
  ].join('\n')
}

function callOf(route: RouteDescriptor): string[] {
  const access =
    route.access === 'public'
      ? 'Public'
      : route.access === 'self'
        ? 'Anyone signed in'
        : route.access === 'person'
          ? 'Anyone signed in with a password'
          : `Needs \`${route.access}\``
  const budget = route.budget === 'none' ? '' : `, budget \`${route.budget}\``
  const inputs = [...fieldsOf(route.params, 'path'), ...fieldsOf(route.query, 'query'), ...fieldsOf(route.body, 'body')]
  const header =
    route.idempotent === true
      ? ['| `Idempotency-Key` | header | text, up to 255 characters | a repeat within 24 h answers what the first call answered |']
      : []
  const table = [...inputs, ...header]
  return [
    `### ${route.method} ${pathOf(route)}`,
    '',
    `${route.summary}. ${access}${budget}. Answers ${route.status}${route.status === 204 ? '' : ` with ${wordsOf(route.answer)}`}.`,
    '',
    ...(table.length === 0 ? [] : ['| Field | In | Type | |', '|---|---|---|---|', ...table, '']),
  ]
}

function fieldsOf(schema: TSchema | undefined, place: string): string[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] }: Shape = schema
  return Object.entries(properties).map(([name, shape]) => {
    const notes = [
      required.includes(name) ? 'required' : '',
      shape.default === undefined ? '' : `default \`${JSON.stringify(shape.default)}\``,
      shape.description ?? '',
    ].filter((note) => note !== '')
    return `| \`${name}\` | ${place} | ${cell(wordsOf(shape))} | ${cell(notes.join('; '))} |`
  })
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function wordsOf(shape: Shape): string {
  if (shape.anyOf !== undefined) return shape.anyOf.map(wordsOf).join(' or ')
  if (shape.enum !== undefined) return shape.enum.map((word) => `\`${String(word)}\``).join(', ')
  if (shape.const !== undefined) return `\`${JSON.stringify(shape.const).replaceAll('"', '')}\``
  switch (shape.type) {
    case 'object':
      return objectWords(shape)
    case 'array':
      return `list of ${shape.items === undefined || isTuple(shape.items) ? 'values' : wordsOf(shape.items)}${bounds(shape.minItems, shape.maxItems, ' entries')}`
    case 'string':
      return shape.format === 'date-time'
        ? 'instant'
        : `text${bounds(shape.minLength, shape.maxLength, ' characters')}${shape.pattern === undefined ? '' : ` like \`${shape.pattern}\``}`
    case 'integer':
      return `whole number${bounds(shape.minimum, shape.maximum === Number.MAX_SAFE_INTEGER ? undefined : shape.maximum, '')}`
    case 'number':
      return `number${bounds(shape.minimum, shape.maximum, '')}`
    case 'boolean':
      return 'true or false'
    case 'null':
      return 'null'
    default:
      return 'any JSON'
  }
}

function objectWords({ properties = {}, patternProperties = {}, required = [] }: Shape): string {
  const [entry] = Object.values(patternProperties)
  if (entry !== undefined) return `{ name: ${wordsOf(entry)} }`
  return `{ ${Object.entries(properties)
    .map(([name, inner]) => `${name}${required.includes(name) ? '' : '?'}: ${wordsOf(inner)}`)
    .join(', ')} }`
}

function isTuple(items: Shape | readonly Shape[]): items is readonly Shape[] {
  return Array.isArray(items)
}

function bounds(from: number | undefined, to: number | undefined, unit: string): string {
  if (from === undefined && to === undefined) return ''
  if (to === undefined) return ` from ${String(from)}${unit}`
  return ` ${String(from ?? 0)}–${to}${unit}`
}

function errors(): string[] {
  return [
    '## Errors',
    '',
    '| Code | Status |',
    '|---|---|',
    ...Object.entries(ERROR_STATUS).map(([code, status]) => `| \`${code}\` | ${status} |`),
    '',
    `Codes of fields in \`errors\`: ${FIELD_CODES.map((code) => `\`${code}\``).join(', ')}, and those of schedules (\`CRON_…\`, \`ZONE_UNKNOWN\`, …).`,
    '',
  ]
}

function budgets(): string[] {
  return [
    '## Rate limits',
    '',
    'Answers carry `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds until full); 429 adds `Retry-After`.',
    '',
    '| Budget | For each | Calls at once | Gained each second |',
    '|---|---|---|---|',
    ...Object.entries(BUDGETS).map(
      ([name, { key, capacity, refillPerSecond }]) => `| \`${name}\` | ${key} | ${capacity} | ${refillPerSecond} |`,
    ),
  ]
}
