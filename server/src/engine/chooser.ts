import type { TaskDefinition } from '@tickwheel/contract'
import {
  carries,
  decideRoute,
  id,
  labelText,
  previewRoute,
  REASON,
  RouteMemory,
  routeKey,
  type Facts,
  type Placed,
  type Random,
  type Reason,
  type Route,
  type RouteQuestion,
  type Standing,
  type TraceEntry,
} from '@tickwheel/core'
import type { Account, Credits } from './credits.ts'
import type { Seat } from './plan-firing.ts'
import { handlerName, isLinked, knowsHandler, takesNew, type Member, type Roster } from './roster.ts'

/**
 * An executor, or why none: `group` when nothing of the group can go now, `run` when only this run cannot, `moment` when the place it should have was
 * asked for at another node and is on its way.
 */
export type Choice = { readonly kind: 'seat'; readonly seat: Seat } | NoSeat

export interface NoSeat {
  readonly kind: 'none'
  readonly reach: 'group' | 'run' | 'moment'
  readonly reason: Reason
  readonly facts: Facts
}

/** The executors of a broadcast, by id, or why there are none. */
export type Everyone = { readonly kind: 'everyone'; readonly members: readonly Member[] } | Extract<Choice, { kind: 'none' }>

export interface ChoiceQuestion {
  readonly taskId: number
  readonly groupId: number
  readonly attempt: number
  readonly definition: TaskDefinition
  /** the run's own params; null: the task's */
  readonly params: string | null
  /** the name of the executor that had its last attempt; null: none had */
  readonly tried: string | null
  readonly pinnedExecutorId: number | null
  /** it is a shard that its handler has split off, or combines such */
  readonly needsMapper: boolean
  readonly now: number
}

/** The route stage: asks core who should get a run, and takes the place there. Only a taken seat is remembered by the strategies. */
export class Chooser {
  readonly #roster: Roster
  readonly #credits: Credits
  readonly #random: Random
  readonly #memory = new RouteMemory()

  constructor({ roster, credits, random }: { roster: Roster; credits: Credits; random: Random }) {
    this.#roster = roster
    this.#credits = credits
    this.#random = random
  }

  choose(question: ChoiceQuestion, account: Account): Choice {
    const { attempt, now, taskId } = question
    const found = this.#find(question)
    if (found.kind === 'none') return found
    const { member, reason, facts } = found
    const executorId = id<'executor'>(member.executorId)
    if (reason === 'chosen') this.#memory.noteUsed(id<'task'>(taskId), executorId, now)
    else this.#memory.noteRun(executorId, now)
    account.take(member.executorId)
    return { kind: 'seat', seat: seatOf(member, [{ reason, at: now, facts }, sent(member, attempt, now)]) }
  }

  /** Why a run gets no seat now; null: it would get one. */
  whyNot(question: ChoiceQuestion): NoSeat | null {
    const found = this.#find(question)
    return found.kind === 'none' ? found : null
  }

  /** Who would get a run of a task now, and why. `offline`: executors of its group that are not online. */
  preview(question: ChoiceQuestion, offline: readonly Standing[]): { readonly route: Route; readonly placed: readonly Placed[] } {
    const asked = this.#questionOf(question)
    // whose places this node may give away does not matter here, and no number is drawn from the chance that dispatching uses
    const standings = asked.standings.map((standing) => ({
      ...standing,
      room: Math.max(standing.room, standing.capacity - standing.running),
    }))
    return previewRoute({ ...asked, random: { next: () => 0 }, standings: [...standings, ...offline] })
  }

  /** Who gets a shard of a broadcast: every executor that is online and could take it, with room or without; only the chosen one where a person chose. */
  everyone({ groupId, definition, pinnedExecutorId }: ChoiceQuestion): Everyone {
    const { labels, handler } = definition
    const alive = this.#roster.ofGroup(groupId).filter(isLinked)
    if (alive.length === 0) return none('group', 'waitsForExecutor', { groupId })
    const labelled = alive.filter((member) => carries(member, labels))
    if (labelled.length === 0) return none('run', 'waitsForLabels', { labels: labelText(labels), executors: alive.length })
    const able = labelled.filter((member) => knowsHandler(member, handler))
    if (able.length === 0) return none('run', 'waitsForHandler', { handler: handlerName(handler) })
    const members = able.filter(
      (member) => !member.isDraining && !member.isStopping && (pinnedExecutorId ?? member.executorId) === member.executorId,
    )
    if (members.length > 0) return { kind: 'everyone', members: members.toSorted((a, b) => a.executorId - b.executorId) }
    if (pinnedExecutorId !== null) return none('run', 'waitsForChosenExecutor', { executorId: pinnedExecutorId })
    const used = able.reduce((sum, member) => sum + this.#credits.used(member), 0)
    const capacity = able.reduce((sum, member) => sum + member.capacity, 0)
    return none(able.length === alive.length ? 'group' : 'run', 'waitsForSlot', { groupId, used, capacity, executors: able.length })
  }

  /** How many more attempts the executors of a group take now. */
  room(groupId: number, now: number): number {
    return this.#roster
      .ofGroup(groupId)
      .reduce((sum, member) => (takesNew(member, now) ? sum + Math.max(0, this.#credits.free(member)) : sum), 0)
  }

  /** How many more attempts one executor takes now. */
  placesAt(executorId: number, now: number): number {
    const member = this.#roster.get(executorId)
    return member !== null && takesNew(member, now) ? Math.max(0, this.#credits.free(member)) : 0
  }

  #find(question: ChoiceQuestion): Found {
    if (question.pinnedExecutorId !== null) return this.#pinned(question, question.pinnedExecutorId)
    const asked = this.#questionOf(question)
    const route = decideRoute(asked)
    if (route.kind === 'none') return question.needsMapper ? this.#mapperMissing(question, route) : route
    const member = this.#roster.get(route.executor.executorId)
    if (member === null) throw new Error('a strategy chose an executor that is not in the roster')
    return { kind: 'to', member, reason: 'chosen', facts: route.facts }
  }

  /** Where executors have the handler, and none of them knows what such a run asks of it, that is the reason. */
  #mapperMissing({ groupId, definition }: ChoiceQuestion, route: NoSeat): NoSeat {
    if (route.reason !== 'waitsForHandler') return route
    const able = this.#roster.ofGroup(groupId).filter((member) => isLinked(member) && knowsHandler(member, definition.handler))
    return able.length === 0 ? route : { ...route, reason: 'waitsForMapper', facts: { executors: able.length } }
  }

  #pinned({ definition, now, needsMapper }: ChoiceQuestion, executorId: number): Found {
    const member = this.#roster.get(executorId)
    const isFree =
      member !== null && takesNew(member, now) && canRun(member, definition.handler, needsMapper) && this.#credits.free(member) > 0
    if (!isFree) return { kind: 'none', reach: 'run', reason: 'waitsForChosenExecutor', facts: { executorId } }
    return { kind: 'to', member, reason: 'chosenByPerson', facts: { executorId, executor: member.name } }
  }

  #questionOf({ taskId, groupId, definition, params, tried, needsMapper, now }: ChoiceQuestion): RouteQuestion {
    const task = id<'task'>(taskId)
    return {
      strategy: definition.routing,
      taskId: task,
      groupId,
      key: routeKey({ taskId: task, routingKey: definition.routingKey, params: params ?? definition.params }),
      tried,
      labels: definition.labels,
      handler: handlerName(definition.handler),
      standings: this.#roster.ofGroup(groupId).map((member) => this.#standingOf(member, { definition, needsMapper, now })),
      memory: this.#memory,
      random: this.#random,
      now,
    }
  }

  #standingOf(member: Member, { definition, needsMapper, now }: Pick<ChoiceQuestion, 'definition' | 'needsMapper' | 'now'>): Standing {
    const room = Math.max(0, this.#credits.free(member))
    return {
      executorId: id<'executor'>(member.executorId),
      name: member.name,
      running: this.#credits.used(member),
      capacity: member.capacity,
      labels: member.labels,
      isOnline: isLinked(member),
      isDraining: member.isDraining || member.isStopping,
      isResting: member.backOffUntil > now,
      knowsHandler: canRun(member, definition.handler, needsMapper),
      room,
      isRoomComing: room === 0 && this.#credits.isComing(member),
    }
  }
}

type Found = NoSeat | { readonly kind: 'to'; readonly member: Member; readonly reason: 'chosen' | 'chosenByPerson'; readonly facts: Facts }

function canRun(member: Member, handler: TaskDefinition['handler'], needsMapper: boolean): boolean {
  return knowsHandler(member, handler) && (!needsMapper || member.knowsMap)
}

function seatOf(member: Member, trace: readonly TraceEntry[]): Seat {
  return { executorId: member.executorId, bootId: member.bootId, trace }
}

function sent(member: Member, attempt: number, at: number): TraceEntry {
  return { reason: 'dispatched', at, facts: { attempt, executorId: member.executorId } }
}

function none(reach: 'group' | 'run', reason: Reason, facts: Facts): NoSeat {
  return { kind: 'none', reach, reason, facts }
}

/** The stored code of a reason. */
export function codeOf(reason: Reason): number {
  return REASON[reason]
}
