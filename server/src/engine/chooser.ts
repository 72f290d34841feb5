import type { TaskDefinition } from '@tickwheel/contract'
import { id, rank, REASON, RouteMemory, type Facts, type Random, type Reason, type TraceEntry } from '@tickwheel/core'
import type { Account, Credits } from './credits.ts'
import type { Seat } from './plan-firing.ts'
import { handlerName, isLinked, knowsHandler, takesNew, type Member, type Roster } from './roster.ts'

/** An executor, or why none: `group` when nothing of the group can go now, `run` when only this run cannot. */
export type Choice =
  | { readonly kind: 'seat'; readonly seat: Seat }
  | { readonly kind: 'none'; readonly reach: 'group' | 'run'; readonly reason: Reason; readonly facts: Facts }

/** The executors of a broadcast, by id, or why there are none. */
export type Everyone = { readonly kind: 'everyone'; readonly members: readonly Member[] } | Extract<Choice, { kind: 'none' }>

export interface ChoiceQuestion {
  readonly taskId: number
  readonly groupId: number
  readonly attempt: number
  readonly definition: TaskDefinition
  readonly pinnedExecutorId: number | null
  readonly now: number
}

/** The route stage: asks the strategy for an order and takes the first that has room. Only a taken seat is remembered by the strategy. */
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
    const { groupId, definition, now } = question
    const alive = this.#roster.ofGroup(groupId).filter(isLinked)
    if (question.pinnedExecutorId !== null) return this.#pinned(question, question.pinnedExecutorId, account)
    if (alive.length === 0) return none('group', 'waitsForExecutor', { groupId })
    const able = alive.filter((member) => knowsHandler(member, definition.handler))
    if (able.length === 0) return none('run', 'waitsForHandler', { handler: handlerName(definition.handler) })
    const free = able.filter((member) => takesNew(member, now) && this.#credits.free(member) > 0)
    if (free.length === 0) return none(able.length === alive.length ? 'group' : 'run', 'waitsForSlot', this.#usage(able))
    return { kind: 'seat', seat: this.#route(question, free, account) }
  }

  /** Who gets a shard of a broadcast: every executor that is online and could take it, with room or without; only the chosen one where a person chose. */
  everyone({ groupId, definition, pinnedExecutorId }: ChoiceQuestion): Everyone {
    const alive = this.#roster.ofGroup(groupId).filter(isLinked)
    if (alive.length === 0) return none('group', 'waitsForExecutor', { groupId })
    const able = alive.filter((member) => knowsHandler(member, definition.handler))
    if (able.length === 0) return none('run', 'waitsForHandler', { handler: handlerName(definition.handler) })
    const members = able.filter(
      (member) => !member.isDraining && !member.isStopping && (pinnedExecutorId ?? member.executorId) === member.executorId,
    )
    if (members.length > 0) return { kind: 'everyone', members: members.toSorted((a, b) => a.executorId - b.executorId) }
    if (pinnedExecutorId !== null) return none('run', 'waitsForChosenExecutor', { executorId: pinnedExecutorId })
    return none(able.length === alive.length ? 'group' : 'run', 'waitsForSlot', this.#usage(able))
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

  /** Why the head of a group waits, in figures: "executor slot in group A (3 of 3 used)". */
  #usage(members: readonly Member[]): Facts {
    return {
      used: members.reduce((sum, member) => sum + this.#credits.used(member), 0),
      capacity: members.reduce((sum, member) => sum + member.capacity, 0),
      executors: members.length,
    }
  }

  #route({ taskId, definition, attempt, now }: ChoiceQuestion, free: readonly Member[], account: Account): Seat {
    const candidates = free.map((member) => ({
      executorId: id<'executor'>(member.executorId),
      running: this.#credits.used(member),
      capacity: member.capacity,
      labels: member.labels,
    }))
    const ranking = rank({
      strategy: definition.routing,
      taskId: id<'task'>(taskId),
      candidates,
      memory: this.#memory,
      random: this.#random,
    })
    const first = ranking.candidates[0]
    const member = free.find((one) => one.executorId === first?.executorId) ?? free[0]
    if (first === undefined || member === undefined) throw new Error('a strategy ranked no candidate although there were some')
    this.#memory.noteUsed(id<'task'>(taskId), first.executorId)
    account.take(member.executorId)
    const facts: Facts = { strategy: definition.routing, executorId: member.executorId, executor: member.name, among: free.length }
    return seatOf(member, [{ reason: 'chosen', at: now, facts }, sent(member, attempt, now)])
  }

  #pinned({ attempt, definition, now }: ChoiceQuestion, executorId: number, account: Account): Choice {
    const member = this.#roster.get(executorId)
    const isFree = member !== null && takesNew(member, now) && knowsHandler(member, definition.handler) && this.#credits.free(member) > 0
    if (!isFree) return none('run', 'waitsForChosenExecutor', { executorId })
    account.take(executorId)
    return {
      kind: 'seat',
      seat: seatOf(member, [
        { reason: 'chosenByPerson', at: now, facts: { executorId, executor: member.name } },
        sent(member, attempt, now),
      ]),
    }
  }
}

function seatOf(member: Member, trace: readonly TraceEntry[]): Seat {
  return { executorId: member.executorId, bootId: member.bootId, trace }
}

function sent(member: Member, attempt: number, at: number): TraceEntry {
  return { reason: 'dispatched', at, facts: { attempt, executorId: member.executorId } }
}

function none(reach: 'group' | 'run', reason: Reason, facts: Facts): Extract<Choice, { kind: 'none' }> {
  return { kind: 'none', reach, reason, facts }
}

/** The stored code of a reason. */
export function codeOf(reason: Reason): number {
  return REASON[reason]
}
