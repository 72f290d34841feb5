import type { Facts, Reason } from '../reason.ts'
import { byName, carries, type Candidate } from './candidate.ts'
import { rank, type Ranked, type RankQuestion, type RoutingStrategy } from './rank.ts'

/** An executor of the task's group as the node that decides knows it. */
export type Standing = Candidate & {
  /** A node holds its link. */
  readonly isOnline: boolean
  /** A person drains it, or it stops. */
  readonly isDraining: boolean
  /** It has just refused a run, and is left alone for a moment. */
  readonly isResting: boolean
  readonly knowsHandler: boolean
  /** How many more attempts this node may give it now. */
  readonly room: number
  /** Its places are another node's to lend, and were asked for a moment ago. */
  readonly isRoomComing: boolean
}

/** Why an executor would not get the run now. */
export const OBSTACLES = ['offline', 'labelsMissing', 'handlerUnknown', 'draining', 'resting', 'full'] as const
export type Obstacle = (typeof OBSTACLES)[number]

export type RouteQuestion = Omit<RankQuestion, 'candidates'> & {
  readonly strategy: RoutingStrategy
  readonly labels: Readonly<Record<string, string>>
  readonly handler: string
  readonly groupId: number
  readonly standings: readonly Standing[]
}

/**
 * An executor, or why none: `group` when nothing of the group can go now, `run` when only this run cannot, `moment` when a place that was asked for is on
 * its way. `facts` are those of the reason in the decision trace.
 */
export type Route =
  | { readonly kind: 'to'; readonly executor: Standing; readonly reason: 'chosen'; readonly facts: Facts }
  | { readonly kind: 'none'; readonly reach: 'group' | 'run' | 'moment'; readonly reason: Reason; readonly facts: Facts }

/** For these who is first matters more than a moment: they wait for a place that is on its way from another node. The others take who has room. */
const KEEPS_ORDER: ReadonlySet<RoutingStrategy> = new Set([
  'consistentHash',
  'failover',
  'first',
  'last',
  'leastLoaded',
  'leastUsed',
  'leastRecentlyUsed',
] as const)
/** So many characters of names are told in a trace. */
const NAMES_LENGTH = 80

/**
 * Who gets a run: of the executors that carry the labels, know the handler and take something new, the first in the order of the strategy that has room.
 * It changes nothing.
 */
export function decideRoute(question: RouteQuestion): Route {
  const { standings, labels, groupId, handler, strategy } = question
  const online = standings.filter((standing) => standing.isOnline)
  if (online.length === 0) return none('group', 'waitsForExecutor', { groupId })
  const labelled = online.filter((standing) => carries(standing, labels))
  if (labelled.length === 0) return none('run', 'waitsForLabels', { labels: labelText(labels), executors: online.length })
  const able = labelled.filter((standing) => standing.knowsHandler)
  if (able.length === 0) return none('run', 'waitsForHandler', { handler })
  const takers = able.filter((standing) => !standing.isDraining && !standing.isResting)
  const { order, facts } = rank({ ...question, candidates: takers })
  const byId = new Map(takers.map((standing) => [standing.executorId, standing]))
  for (const [place, { candidate, facts: own }] of order.entries()) {
    const executor = byId.get(candidate.executorId)
    if (executor === undefined) continue
    const { executorId, name, room, isRoomComing } = executor
    if (room > 0)
      return {
        kind: 'to',
        executor,
        reason: 'chosen',
        facts: { strategy, executorId, executor: name, among: takers.length, whom: namesOf(order), ...facts, ...own, ...passed(place) },
      }
    if (isRoomComing && KEEPS_ORDER.has(strategy)) return none('moment', 'waitsForPlace', { executorId, executor: name })
  }
  return none(able.length === online.length ? 'group' : 'run', 'waitsForSlot', { groupId, ...usageOf(able) })
}

/** An executor of the group in a preview: its place when it could get the run, else what stands in the way. */
export type Placed = {
  readonly standing: Standing
  /** From 1, in the order of the strategy; null: it is not asked at all, or chance decides. */
  readonly place: number | null
  readonly obstacle: Obstacle | null
  readonly facts: Facts
}

/** Who would get a run now and why, by the rules of `decideRoute`: those that are asked in their order, then the others by name. */
export function previewRoute(question: RouteQuestion): { readonly route: Route; readonly placed: readonly Placed[] } {
  const { standings, labels, strategy } = question
  const askable = standings.filter((standing) => isAsked(obstacleOf(standing, labels)))
  const { order } = rank({ ...question, candidates: strategy === 'random' ? askable.toSorted(byName) : askable })
  const ranked = strategy === 'random' ? order.toSorted((a, b) => byName(a.candidate, b.candidate)) : order
  const byId = new Map(standings.map((standing) => [standing.executorId, standing]))
  const asked = ranked.flatMap(({ candidate, facts }, index): Placed[] => {
    const standing = byId.get(candidate.executorId)
    if (standing === undefined) return []
    return [{ standing, place: strategy === 'random' ? null : index + 1, obstacle: obstacleOf(standing, labels), facts }]
  })
  const others = standings
    .filter((standing) => !askable.includes(standing))
    .toSorted(byName)
    .map((standing): Placed => {
      const obstacle = obstacleOf(standing, labels)
      return { standing, place: null, obstacle, facts: obstacle === 'labelsMissing' ? { labels: missingLabels(standing, labels) } : {} }
    })
  return { route: decideRoute(question), placed: [...asked, ...others] }
}

/** The first thing that keeps a run from an executor; null: nothing. */
export function obstacleOf(standing: Standing, labels: Readonly<Record<string, string>>): Obstacle | null {
  if (!standing.isOnline) return 'offline'
  if (!carries(standing, labels)) return 'labelsMissing'
  if (!standing.knowsHandler) return 'handlerUnknown'
  if (standing.isDraining) return 'draining'
  if (standing.isResting) return 'resting'
  return standing.room > 0 ? null : 'full'
}

/** Whoever is only full has its place in the order. */
function isAsked(obstacle: Obstacle | null): boolean {
  return obstacle === null || obstacle === 'full'
}

/** Labels as a trace names them: `zone=a, disk=ssd`. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return cut(
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(', '),
  )
}

function missingLabels(standing: Standing, labels: Readonly<Record<string, string>>): string {
  return labelText(Object.fromEntries(Object.entries(labels).filter(([name, value]) => standing.labels[name] !== value)))
}

function namesOf(order: readonly Ranked[]): string {
  const names: string[] = []
  let length = 0
  for (const { candidate } of order) {
    length += candidate.name.length + 2
    if (length > NAMES_LENGTH) return [...names, '…'].join(', ')
    names.push(candidate.name)
  }
  return names.join(', ')
}

function cut(text: string): string {
  return text.length <= NAMES_LENGTH ? text : `${text.slice(0, NAMES_LENGTH - 1)}…`
}

/** How many that stood before it had no room. */
function passed(place: number): Facts {
  return place === 0 ? {} : { passed: place }
}

/** Why nobody has room, in figures: "executor slot in group A (3 of 3 used)". */
function usageOf(standings: readonly Standing[]): Facts {
  return {
    used: standings.reduce((sum, { running }) => sum + running, 0),
    capacity: standings.reduce((sum, { capacity }) => sum + capacity, 0),
    executors: standings.length,
  }
}

function none(reach: 'group' | 'run' | 'moment', reason: Reason, facts: Facts): Route {
  return { kind: 'none', reach, reason, facts }
}
