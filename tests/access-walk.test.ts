import { LIVE_TOPICS, routes, type LiveTopic, type Problem, type Route } from '@tickwheel/contract'
import { id as brand, isPermission, may, PERMISSIONS, visibleScope, type Permission } from '@tickwheel/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WALK, type Aim, type Entry } from './access-walk.table.ts'
import { MARK, openAccessWorld, type AccessWorld, type Place, type Principal } from './access-world.fixture.ts'
import { ApiClient, type Answer } from './kit/api-client.ts'
import { LiveClient } from './live-client.fixture.ts'

/*
 * Every call of the contract and every live topic, by people with every role, a role made by people, a role in another group, an API token, and nobody: each is
 * answered as the table "what the caller sees" of the access guide says. What is expected is worked out here from the descriptors and the roles that were given, by
 * core's `may`; the server finds out the same from its store.
 */
let world: AccessWorld
beforeAll(async () => {
  world = await openAccessWorld()
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

type Expected = 'pass' | 401 | 403 | 404 | 422

const has = ({ grants }: Principal, permission: Permission, groupId: number | null): boolean =>
  may(grants, permission, groupId === null ? null : brand<'group'>(groupId)).allowed
const somewhere = ({ grants }: Principal, permission: Permission): boolean => visibleScope(grants, permission).length > 0

function expectedOf(route: Route, entry: Entry, who: Principal, place: Place): Expected {
  const { access } = route
  if (access === 'public' || access === 'self') return 'pass'
  if (access === 'person') return who.isPerson ? 'pass' : 403
  if (!isPermission(access)) return 403
  const groupId = PERMISSIONS[access] === 'all' || entry.needsAll === true ? null : place.group.id
  if (entry.of !== undefined) return ofResource(route, entry, who, groupId)
  if (entry.inBody === true) return ofBody(access, entry, who, place.group.id)
  if (entry.isAnywhere === true) return somewhere(who, access) ? 'pass' : 403
  const isList = route.method === 'GET' && PERMISSIONS[access] === 'group'
  return isList || has(who, access, groupId) ? 'pass' : 403
}

function ofResource({ path, access }: Route, entry: Entry, who: Principal, groupId: number | null): Expected {
  const owner = path.split('/')[1]?.replace('workflow-run', 'workflow') ?? ''
  const view = `${owner}:view`
  if (!isPermission(view) || !isPermission(access)) throw new Error(`${path} is about something without a permission to view it`)
  if (!has(who, view, groupId)) return 404
  if (!has(who, access, groupId)) return 403
  return entry.also === undefined || has(who, entry.also, groupId) ? 'pass' : 403
}

function ofBody(access: Permission, entry: Entry, who: Principal, groupId: number): Expected {
  if (!somewhere(who, access)) return 403
  if (!has(who, 'group:view', groupId)) return 422
  return has(who, access, groupId) && (entry.also === undefined || has(who, entry.also, groupId)) ? 'pass' : 403
}

async function called(route: Route, client: ApiClient, aim: Aim, id: number | null): Promise<Answer<Problem>> {
  const entry = WALK[route.id]
  const path = route.path.replace(':id', String(id)).replace(':version', '1').replace(':key', 'ask')
  const query = entry.query === undefined ? '' : `?${entry.query(aim)}`
  const body = entry.body?.(aim) ?? (route.method === 'GET' ? undefined : {})
  if (path.startsWith('~')) return client.root<Problem>(path.slice(1))
  return client.call<Problem>(route.method, path + query, body)
}

/** What the answer says of the rights: the status, as far as it is about them. */
function toldBy({ status, body }: Answer<Problem>, entry: Entry): Expected | string {
  if (status === 401 && entry.passes?.includes(401) !== true) return 401
  if (status === 403 || status === 404) return status
  const isUnknownGroup = status === 422 && (body.errors ?? []).some(({ path, code }) => path === 'groupId' && code === 'UNKNOWN_REFERENCE')
  if (isUnknownGroup) return 422
  const isFine = (status >= 200 && status < 300) || status === 409 || status === 422 || entry.passes?.includes(status) === true
  return isFine ? 'pass' : `${status} ${JSON.stringify(body)}`
}

const byRoute = routes
  .filter(({ id }) => WALK[id].isOwn !== true)
  .sort((one, other) => Number(WALK[one.id].isLast ?? false) - Number(WALK[other.id].isLast ?? false))

describe.each(byRoute.map((route) => [route.id, route] as const))('%s', (_id, route) => {
  const entry = WALK[route.id]

  it('answers everybody as the table says', async () => {
    const wrong: string[] = []
    for (const who of world.principals) {
      for (const place of [world.a, world.b]) {
        const aim = { world, place }
        const expected = expectedOf(route, entry, who, place)
        const id = expected === 'pass' && entry.fresh !== undefined ? await entry.fresh(aim) : (entry.of?.(aim) ?? null)
        const client = entry.isLast === true && who.isPerson ? await who.again() : who.client
        const told = toldBy(await called(route, client, aim, id), entry)
        if (told !== expected) wrong.push(`${who.name} in ${place.group.name}: ${told}, not ${expected}`)
        if (entry.of === undefined && entry.inBody !== true) break
      }
    }
    expect(wrong).toEqual([])
  })

  it('answers nobody, and what is no credential, with 401', async () => {
    if (route.access === 'public') return
    const aim = { world, place: world.a }
    for (const token of [undefined, 'x', 'twk_1_' + 'x'.repeat(43)]) {
      const answer = await called(route, new ApiClient(world.api.url, token), aim, entry.of?.(aim) ?? null)
      expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } })
    }
  })

  it('is closed to executors, unless it is for them', async () => {
    if (route.access === 'public' || route.access === 'executorToken' || route.access === 'executorSession') return
    const aim = { world, place: world.a }
    for (const token of [world.a.executorToken, world.a.executorSession]) {
      const answer = await called(route, new ApiClient(world.api.url, token), aim, entry.of?.(aim) ?? null)
      expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
    }
  })

  it('says the same of what is not there as of what is not visible', async () => {
    const who = world.principals.find(({ name }) => name === 'nobody')
    if (entry.of === undefined || who === undefined) return
    const aim = { world, place: world.b }
    const [real, unknown] = [await called(route, who.client, aim, entry.of(aim)), await called(route, who.client, aim, 99_999)]
    expect(real.status).toBe(404)
    expect({ ...unknown.body, detail: '' }).toEqual({ ...real.body, detail: '' })
    expect(unknown.body.detail.replace('99999', '#')).toBe(real.body.detail.replace(String(entry.of(aim)), '#'))
  })
})

/** Whose it is decides: tried in tests/bulk.test.ts. */
const OWN_TOPIC = 'bulk:ID'
const GROUP_TOPICS = LIVE_TOPICS.filter((topic) => topic !== OWN_TOPIC)

/** What a topic needs, and what it is about. `view`: where this is missing, the thing is not there. */
const TOPICS: Readonly<
  Record<
    Exclude<LiveTopic, typeof OWN_TOPIC>,
    { readonly needs: Permission; readonly view?: Permission; readonly of?: (place: Place) => number }
  >
> = {
  'instance:ID': { needs: 'instance:view', view: 'instance:view', of: (place) => place.instanceId },
  'instance:ID:logs': { needs: 'instance:viewLogs', view: 'instance:view', of: (place) => place.instanceId },
  'workflowRun:ID': { needs: 'workflow:view', view: 'workflow:view', of: (place) => place.workflowRunId },
  'group:ID': { needs: 'instance:view', view: 'instance:view', of: (place) => place.group.id },
  'group:*': { needs: 'instance:view' },
  task: { needs: 'task:view' },
  executor: { needs: 'executor:view' },
  alarm: { needs: 'alarm:view' },
}

describe('the live topics', () => {
  it('are open to whom the table says', async () => {
    const wrong: string[] = []
    for (const who of world.principals) {
      await using live = await new LiveClient(world.api.url, who.client.token).open()
      const asked = [world.a, world.b].flatMap((place) => GROUP_TOPICS.map((topic) => ({ place, topic })))
      for (const [index, { place, topic }] of asked.entries())
        live.send({ type: 'subscribe', id: index + 1, topic: topic.replace('ID', String(TOPICS[topic].of?.(place))) })
      for (const [index, { place, topic }] of asked.entries()) {
        const told = await Promise.race([
          live.hear('subscribed', index + 1).then(() => 'open'),
          live.hear('error', index + 1).then(({ code }) => code),
        ])
        if (!topicExpected(topic, who, place).test(told)) wrong.push(`${topic}: ${who.name} in ${place.group.name}: ${told}`)
      }
    }
    expect(wrong).toEqual([])
  })

  function topicExpected(topic: (typeof GROUP_TOPICS)[number], who: Principal, place: Place): RegExp {
    const { needs, view, of } = TOPICS[topic]
    if (of === undefined) return topic === 'group:*' || somewhere(who, needs) ? /^open$/ : /^FORBIDDEN$/
    if (view !== undefined && !has(who, view, place.group.id)) return /_NOT_FOUND$/
    return has(who, needs, place.group.id) ? /^open$/ : /^FORBIDDEN$/
  }
})

describe('what people of one group are told', () => {
  it('never has a word of another group', async () => {
    const leaks: string[] = []
    for (const who of world.principals.filter(({ name }) => name.endsWith(' of a') || name.startsWith('token') || name === 'nobody')) {
      for (const route of routes.filter(({ method, access }) => method === 'GET' && (access === 'self' || isPermission(access)))) {
        const entry = WALK[route.id]
        for (const place of [world.a, world.b]) {
          const aim = { world, place }
          const answer = await called(route, who.client, aim, entry.of?.(aim) ?? null)
          const text = JSON.stringify(answer.body) + JSON.stringify([...answer.headers])
          if (!isWholeTotal(answer.body)) leaks.push(`${who.name}: ${route.id}: counts what it does not show`)
          if (text.includes(MARK))
            leaks.push(`${who.name}: ${route.id}: ${text.slice(Math.max(0, text.indexOf(MARK) - 80), text.indexOf(MARK) + 40)}`)
        }
      }
    }
    expect(leaks).toEqual([])
  })
})

/** A short first page of a list shows all that is counted. */
function isWholeTotal(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || !('items' in body) || !('total' in body) || !Array.isArray(body.items)) return true
  return body.items.length >= 20 || body.total === body.items.length
}
