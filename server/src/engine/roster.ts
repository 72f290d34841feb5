import type { Load, TaskDefinition } from '@tickwheel/contract'
import type { Session } from '../link/link.ts'
import type { KnownExecutor } from '../store/executors.ts'

/** An executor that said it is full, or refused for another passing reason, is left alone so long. */
const BACK_OFF_MS = 1000

interface HandlerName {
  readonly name: string
  readonly kind: 'builtIn' | 'named'
}

/** An executor that is online as this node knows it. */
export interface Member {
  readonly executorId: number
  readonly groupId: number
  readonly name: string
  readonly bootId: number
  readonly capacity: number
  readonly labels: Readonly<Record<string, string>>
  readonly handlers: readonly HandlerName[]
  readonly registeredAt: number
  /** its link is here */
  isConnected: boolean
  /** a person drains it */
  isDraining: boolean
  /** it drains itself, because it stops */
  isStopping: boolean
  recoveredBoot: number
  seenAt: number
  load: Load | null
  backOffUntil: number
  /** handlers that it refused since it registered */
  readonly refused: Set<string>
  /** for each attempt that it should have, how many heartbeats in a row did not name it */
  readonly missing: Map<number, number>
}

/** The executors that are online, in memory: who could take a run, and why not. */
export class Roster {
  readonly #members = new Map<number, Member>()

  get size(): number {
    return this.#members.size
  }

  get(executorId: number): Member | null {
    return this.#members.get(executorId) ?? null
  }

  /** The member that a session speaks for; null when it is of another boot. */
  ofSession({ executorId, bootId }: Session): Member | null {
    const member = this.#members.get(executorId)
    return member?.bootId === bootId ? member : null
  }

  all(): Member[] {
    return [...this.#members.values()]
  }

  ofGroup(groupId: number): Member[] {
    return this.all().filter((member) => member.groupId === groupId)
  }

  /** Takes an executor as the store has it. The same boot keeps what memory knows of it. */
  put({ row, seenAt, load }: KnownExecutor): Member {
    const before = this.#members.get(row.id)
    const same = before?.bootId === row.boot_id ? before : null
    const member: Member = {
      executorId: row.id,
      groupId: row.group_id,
      name: row.name,
      bootId: row.boot_id,
      capacity: row.capacity,
      labels: JSON.parse(row.labels) as Record<string, string>,
      handlers: namesOf(JSON.parse(row.handlers) as readonly Partial<HandlerName>[]),
      registeredAt: row.registered_at,
      isConnected: same?.isConnected ?? false,
      isDraining: row.draining === 1,
      isStopping: same?.isStopping ?? false,
      recoveredBoot: row.recovered_boot,
      seenAt: Math.max(seenAt, same?.seenAt ?? 0),
      load: same?.load ?? load,
      backOffUntil: 0,
      refused: new Set(),
      missing: same?.missing ?? new Map<number, number>(),
    }
    this.#members.set(row.id, member)
    return member
  }

  remove(executorId: number): void {
    this.#members.delete(executorId)
  }
}

function namesOf(handlers: readonly Partial<HandlerName>[]): HandlerName[] {
  return handlers.map(({ name, kind }) => ({ name: name ?? '', kind: kind ?? 'named' }))
}

/** What a handler is called among an executor's handlers. */
export function handlerName(handler: TaskDefinition['handler']): string {
  return handler.kind === 'named' ? handler.name : handler.kind
}

/** Whether an executor knows a handler and has not refused it since it registered. */
export function knowsHandler(member: Member, handler: TaskDefinition['handler']): boolean {
  const name = handlerName(handler)
  const kind = handler.kind === 'named' ? 'named' : 'builtIn'
  return member.handlers.some((known) => known.name === name && known.kind === kind) && !member.refused.has(`${kind}:${name}`)
}

/** Takes note of a rejection, so that the next choice is another. */
export function noteRejection(member: Member, code: string, handler: TaskDefinition['handler'] | null, now: number): void {
  if ((code === 'unknownHandler' || code === 'handlerNotAllowed') && handler !== null)
    member.refused.add(`${handler.kind === 'named' ? 'named' : 'builtIn'}:${handlerName(handler)}`)
  else member.backOffUntil = now + BACK_OFF_MS
}

/** Whether an executor may be given something new now. */
export function takesNew(member: Member, now: number): boolean {
  return member.isConnected && !member.isDraining && !member.isStopping && member.backOffUntil <= now
}
