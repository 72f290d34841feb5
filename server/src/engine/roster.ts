import type { ExecutorTransport, Load, TaskDefinition } from '@tickwheel/contract'
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
  readonly transport: ExecutorTransport
  readonly capacity: number
  readonly labels: Readonly<Record<string, string>>
  readonly handlers: readonly HandlerName[]
  readonly registeredAt: number
  /** it knows runs that are split by their handler */
  readonly knowsMap: boolean
  /** the node that holds its link, as far as is known; null: none */
  linkRun: number | null
  /** its link is here */
  isHere: boolean
  /** the store knows that its link is here */
  isLinkSaved: boolean
  /** when its row was taken last, monotonic */
  takenAt: number
  /** a person drains it */
  isDraining: boolean
  /** it drains itself, because it stops */
  isStopping: boolean
  recoveredBoot: number
  /** the process before it still held a link when this one came: it may take what was sent to it, until it hears that it was superseded */
  readonly mayOlderLive: boolean
  /** attempts in flight there for slots of any node, when that was counted last; only while no messages go between nodes */
  inFlightSeen: number
  seenAt: number
  /** the last heartbeat as the store has it */
  storedSeenAt: number
  /** when this node learned of the last heartbeat, monotonic: clocks that are set make nobody silent */
  heardAt: number
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
  readonly #texts = new Map<number, { readonly text: string; readonly parsed: Pick<Member, 'labels' | 'handlers'> }>()

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
  put({ row, seenAt, load }: KnownExecutor, takenAt: number): Member {
    const before = this.#members.get(row.id)
    const same = before?.bootId === row.boot_id ? before : null
    const member: Member = {
      executorId: row.id,
      groupId: row.group_id,
      name: row.name,
      bootId: row.boot_id,
      transport: row.transport,
      capacity: row.capacity,
      ...this.#parsed(row),
      registeredAt: row.registered_at,
      knowsMap: row.map_boot === row.boot_id,
      linkRun: same?.isHere === true ? same.linkRun : row.link_run,
      isHere: same?.isHere ?? false,
      isLinkSaved: same?.isLinkSaved ?? false,
      takenAt,
      isDraining: row.draining === 1,
      isStopping: same?.isStopping ?? false,
      mayOlderLive: same?.mayOlderLive ?? (before?.linkRun ?? null) !== null,
      recoveredBoot: Math.max(row.recovered_boot, same?.recoveredBoot ?? 0),
      inFlightSeen: same?.inFlightSeen ?? 0,
      seenAt: Math.max(seenAt, same?.seenAt ?? 0),
      storedSeenAt: seenAt,
      heardAt: same?.storedSeenAt === seenAt ? same.heardAt : takenAt,
      load: same?.isHere === true ? same.load : load,
      backOffUntil: same?.backOffUntil ?? 0,
      refused: same?.refused ?? new Set(),
      missing: same?.missing ?? new Map<number, number>(),
    }
    this.#members.set(row.id, member)
    return member
  }

  /** Read once for each text: rows are taken again every second. */
  #parsed({ id, labels, handlers }: KnownExecutor['row']): Pick<Member, 'labels' | 'handlers'> {
    const known = this.#texts.get(id)
    if (known?.text === labels + handlers) return known.parsed
    const parsed = {
      labels: JSON.parse(labels) as Record<string, string>,
      handlers: namesOf(JSON.parse(handlers) as readonly Partial<HandlerName>[]),
    }
    this.#texts.set(id, { text: labels + handlers, parsed })
    return parsed
  }

  remove(executorId: number): void {
    this.#members.delete(executorId)
    this.#texts.delete(executorId)
  }
}

function namesOf(handlers: readonly Partial<HandlerName>[]): HandlerName[] {
  return handlers.map(({ name, kind }) => ({ name: name ?? '', kind: kind ?? 'named' }))
}

/** What a handler is called among an executor's handlers. */
export function handlerName(handler: TaskDefinition['handler']): string {
  return handler.kind === 'named' ? handler.name : handler.kind
}

/**
 * Whether an executor knows a handler and has not refused it since it registered. One of XXL-JOB does not tell what it knows: it may have any, runs scripts by
 * the protocol, and makes no HTTP calls.
 */
export function knowsHandler(member: Member, handler: TaskDefinition['handler']): boolean {
  const name = handlerName(handler)
  const kind = handler.kind === 'named' ? 'named' : 'builtIn'
  if (member.refused.has(`${kind}:${name}`)) return false
  if (member.transport === 'xxl') return handler.kind !== 'http'
  return member.handlers.some((known) => known.name === name && known.kind === kind)
}

/** Takes note of a rejection, so that the next choice is another. */
export function noteRejection(member: Member, code: string, handler: TaskDefinition['handler'] | null, now: number): void {
  if ((code === 'unknownHandler' || code === 'handlerNotAllowed') && handler !== null)
    member.refused.add(`${handler.kind === 'named' ? 'named' : 'builtIn'}:${handlerName(handler)}`)
  else member.backOffUntil = now + BACK_OFF_MS
}

/** Whether a node holds its link. */
export function isLinked(member: Member): boolean {
  return member.linkRun !== null
}

/** Whether an executor may be given something new now. */
export function takesNew(member: Member, now: number): boolean {
  return isLinked(member) && !member.isDraining && !member.isStopping && member.backOffUntil <= now
}
