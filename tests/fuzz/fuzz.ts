/* Calls that nobody means, of every route of the contract, by everybody. An answer may be anything but a fault. */
import { ERROR_STATUS, routes, type RouteDescriptor } from '@tickwheel/contract'
import { Chance } from '../kit/chance.ts'
import type { Templates } from './world.ts'
import { changed, hostileText, textOf, valueOf, type Filling, type Known } from './values.ts'

/** Who calls. `token` null: nobody. */
export interface FuzzCaller {
  readonly name: string
  readonly accesses: readonly string[]
  /** it may sign out, and guess at its password until it is locked out */
  readonly mayLeave: boolean
  readonly signIn: () => Promise<string | null>
}

const OF_THE_SESSION: readonly string[] = ['logout', 'changePassword']

export interface FuzzOptions {
  readonly url: string
  readonly callers: readonly FuzzCaller[]
  readonly seed: number
  /** an account that stays as it is: without it nobody could sign in any more */
  readonly keptUserId: number
  /** stands in everything that the callers may not see, and must stand in no answer to a call that does not say it itself */
  readonly hidden?: string
  /** makes what the calls can be about, each time anew: calls delete, too */
  readonly furnish: (round: number) => Promise<Templates>
  /** asked before each call; false ends it */
  readonly goesOn: (calls: number) => boolean
}

export interface FuzzOutcome {
  readonly calls: number
  /** how often each status was answered */
  readonly statuses: Readonly<Record<number, number>>
  /** how many calls of each route were answered by 2xx */
  readonly succeeded: Readonly<Record<string, number>>
  readonly faults: readonly string[]
}

interface Call {
  readonly route: RouteDescriptor
  readonly caller: FuzzCaller
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

const HANGS_AFTER_MS = 10_000
const KNOWN_MAX = 40
const FURNISHED_EVERY = 300
const FAULTS_MAX = 50
/** What no answer tells: of the store, of where our files are. */
const INSIDE = /SQLITE|\bER_[A-Z]+_|SELECT .+ FROM |INSERT INTO|node_modules|\.[jt]s:\d+:\d+|better-sqlite3/

/** Calls until it may not go on, or there are faults enough. The same seed and the same server: the same calls. */
export async function fuzz({ url, callers, seed, keptUserId, hidden, furnish, goesOn }: FuzzOptions): Promise<FuzzOutcome> {
  const chance = new Chance(seed)
  const known: Known = { numbers: new Map(), texts: ['default'] }
  const tokens = new Map<string, string | null>()
  for (const caller of callers) tokens.set(caller.name, await caller.signIn())
  const [statuses, succeeded, faults]: [Record<number, number>, Record<string, number>, string[]] = [{}, {}, []]
  let [calls, templates]: [number, Templates] = [0, {}]
  for (; goesOn(calls) && faults.length < FAULTS_MAX; calls++) {
    if (calls % FURNISHED_EVERY === 0) templates = await furnish(calls / FURNISHED_EVERY)
    const call = makeCall(calls, { chance, known, callers, templates, keptUserId })
    const { status, text, fault } = await send(url, call, tokens.get(call.caller.name) ?? null)
    statuses[status] = (statuses[status] ?? 0) + 1
    const isLeak = hidden !== undefined && text.includes(hidden) && !`${call.path} ${call.body ?? ''}`.includes(hidden)
    if (isLeak) faults.push(`call ${String(calls)}: ${wordsOf(call)} → ${String(status)} tells what is hidden: ${text.slice(0, 1000)}`)
    if (fault !== null) faults.push(`call ${String(calls)}: ${wordsOf(call)} → ${String(status)}: ${fault}`)
    if (status >= 200 && status < 300) {
      succeeded[call.route.id] = (succeeded[call.route.id] ?? 0) + 1
      learn(call.route, text, { chance, known })
    }
    // it signed out, changed its password or ended its own session
    if (status === 401 && call.caller.accesses.includes(call.route.access)) tokens.set(call.caller.name, await call.caller.signIn())
  }
  return { calls, statuses, succeeded, faults }
}

interface Making {
  readonly chance: Chance
  readonly known: Known
  readonly callers: readonly FuzzCaller[]
  readonly templates: Templates
  readonly keptUserId: number
}

/** Each route in turn, so that none is left out. */
function makeCall(index: number, { chance, known, callers, templates, keptUserId }: Making): Call {
  const route: RouteDescriptor = routes[index % routes.length] ?? routes[0]
  const fitting = callers.filter(({ accesses }) => accesses.includes(route.access))
  const isOfSession = OF_THE_SESSION.includes(route.id)
  const among =
    fitting.length > 0 && chance.next() < 0.9 && !isOfSession ? fitting : callers.filter(({ mayLeave }) => mayLeave || !isOfSession)
  const caller = among[chance.between(0, among.length - 1)]
  if (caller === undefined) throw new Error('nobody calls')
  const wrong = chance.pick([0, 0, 0.05, 0.2])
  const body = route.body === undefined ? (chance.next() < 0.1 ? '{}' : null) : textOf(bodyOf(route, templates, { chance, known, wrong }))
  return {
    route,
    caller,
    path: pathOf(route, keptUserId, { chance, known, wrong }) + queryOf(route, { chance, known, wrong }),
    headers: headersOf(body !== null, chance),
    body,
  }
}

interface Part extends Filling {
  readonly chance: Chance
}

/** Half of the bodies are ones that were taken before, changed. */
function bodyOf(route: RouteDescriptor, templates: Templates, { chance, known, wrong }: Part): unknown {
  const [first, ...others] = templates[route.id] ?? []
  if (first !== undefined && chance.next() < 0.6) return changed(chance.pick([first, ...others]), chance, { wrong: wrong / 2, known })
  return route.body === undefined ? {} : valueOf(route.body, chance, { wrong, known })
}

function pathOf(route: RouteDescriptor, keptUserId: number, { chance, known, wrong }: Part): string {
  const path = route.path.startsWith('~') ? route.path.slice(1) : `/api/v1${route.path}`
  return path.replace(/:(\w+)/g, (_all, name: string) => {
    const schema = (route.params as { properties?: Record<string, unknown> } | undefined)?.properties?.[name]
    const made = schema === undefined ? 1 : valueOf(schema as never, chance, { wrong: 0, known, name: name === 'id' ? idOf(route) : name })
    const usual = idOf(route) === 'userId' && made === keptUserId ? keptUserId + 1 : made
    return encodeURIComponent((chance.next() < wrong ? hostileText(chance) : String(usual)).toWellFormed().slice(0, 3000)) || '0'
  })
}

function queryOf(route: RouteDescriptor, { chance, known, wrong }: Part): string {
  const fields = route.query === undefined ? {} : valueOf(route.query, chance, { wrong, known })
  const pairs = Object.entries(typeof fields === 'object' && fields !== null ? fields : {}).slice(0, 20)
  const texts = pairs.map(([name, value]) => [name, typeof value === 'string' ? value : textOf(value)] as const)
  const twice = chance.next() < wrong ? texts.slice(0, 1) : []
  const query = [...texts, ...twice]
    .map(
      ([name, value]) =>
        `${encodeURIComponent(name.toWellFormed().slice(0, 300))}=${encodeURIComponent(value.toWellFormed().slice(0, 2000))}`,
    )
    .join('&')
  return query === '' ? '' : `?${query}`
}

function headersOf(hasBody: boolean, chance: Chance): Record<string, string> {
  const rare = <Value>(value: () => Value, nothing: Value): Value => (chance.next() < 0.05 ? value() : nothing)
  const odd = (): string =>
    hostileText(chance)
      .replace(/[^\t\x20-\x7e]/g, '?')
      .trim()
      .slice(0, 4000)
  const types = ['application/yaml', 'text/plain', 'application/json; charset=utf-16', 'multipart/form-data', 'a/b/c'] as const
  const type = rare(() => chance.pick(types), 'application/json')
  return {
    ...(hasBody ? { 'content-type': type } : {}),
    ...rare<Record<string, string>>(() => ({ 'idempotency-key': odd() }), {}),
    ...rare<Record<string, string>>(() => ({ 'x-request-id': odd() }), {}),
    ...rare<Record<string, string>>(() => ({ accept: 'application/yaml' }), {}),
    ...rare<Record<string, string>>(() => ({ 'x-forwarded-for': odd() }), {}),
  }
}

interface Heard {
  /** 0: there was no answer */
  readonly status: number
  readonly text: string
  readonly fault: string | null
}

async function send(url: string, { route, path, headers, body }: Call, token: string | null): Promise<Heard> {
  try {
    const response = await fetch(url + path, {
      method: route.method,
      headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      signal: AbortSignal.timeout(HANGS_AFTER_MS),
      ...(body === null || route.method === 'GET' ? {} : { body }),
    })
    const text = await response.text()
    return { status: response.status, text, fault: faultOf(response, text) }
  } catch (error) {
    return { status: 0, text: '', fault: error instanceof Error ? `${error.message} ${String(error.cause ?? '')}` : String(error) }
  }
}

function faultOf({ status, headers }: Response, text: string): string | null {
  if (headers.get('set-cookie') !== null) return 'it sets a cookie'
  if (status >= 500) return text.slice(0, 500)
  if (status < 400) return null
  if (!(headers.get('content-type') ?? '').startsWith('application/problem+json')) return `it is no problem document: ${text.slice(0, 200)}`
  const { code, status: told, detail } = JSON.parse(text) as { code: string; status: number; detail: string }
  if (!Object.hasOwn(ERROR_STATUS, code) || ERROR_STATUS[code as keyof typeof ERROR_STATUS] !== status || told !== status)
    return `its code ${code} is not one of ${String(status)}`
  return INSIDE.test(text) ? `it tells of the inside: ${detail.slice(0, 500)}` : null
}

/** Ids and names of what there is, so that later calls are about it. */
function learn(route: RouteDescriptor, text: string, { chance, known }: { readonly chance: Chance; readonly known: Known }): void {
  const told = text.slice(0, 20_000)
  for (const [, name = '', value] of told.matchAll(/"(id|version|\w+Id)":(\d{1,16})\b/g)) {
    const field = name === 'id' ? idOf(route) : name
    const numbers = known.numbers.get(field) ?? []
    known.numbers.set(field, numbers)
    remember(numbers, Number(value), chance)
  }
  for (const [, name] of told.matchAll(/"(?:name|appName|path|key|cursor|nextCursor)":"([^"\\]{1,200})"/g))
    remember(known.texts, name ?? '', chance)
}

/** What the ids of a route are called elsewhere: `taskId` for those of `/task`. */
function idOf({ path }: RouteDescriptor): string {
  return `${(path.split('/')[1] ?? '').replace(/-(\w)/g, (_all, letter: string) => letter.toUpperCase())}Id`
}

function remember<Value>(values: Value[], value: Value, chance: Chance): void {
  if (values.includes(value)) return
  if (values.length < KNOWN_MAX) values.push(value)
  else values[chance.between(0, KNOWN_MAX - 1)] = value
}

function wordsOf({ route, caller, path, headers, body }: Call): string {
  return `${caller.name}: ${route.method} ${path.slice(0, 300)} ${JSON.stringify(headers).slice(0, 200)} ${(body ?? '').slice(0, 1500)}`
}
