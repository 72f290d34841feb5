/**
 * What nodes tell each other. Each message is a hint with ids, never the truth: what it names is read from the store, and a sweep finds within a second
 * what a lost message left behind. `from`: the run id of the sender. A kind that a node does not know is ignored.
 */
export type BusMessage =
  /** to all: nodes came or went, or slots were released: look at once */
  | { readonly kind: 'members'; readonly from: number }
  /** to the owner of slots: cursors of these series were moved by a command */
  | { readonly kind: 'series'; readonly from: number; readonly ids: readonly number[] }
  /** to the owner of slots: these runs were queued, changed, or ended */
  | { readonly kind: 'runs'; readonly from: number; readonly ids: readonly number[] }
  /** to the node that holds the links: these runs were dispatched to executors of yours, or are to be cancelled */
  | { readonly kind: 'send'; readonly from: number; readonly ids: readonly number[] }
  /** to all: these executors registered, joined or left a node, drain, are lost, or were forgotten */
  | { readonly kind: 'executors'; readonly from: number; readonly ids: readonly number[] }
  /** to the node that holds the link of an executor: how many more attempts the sender could use there; 0: none any more */
  | { readonly kind: 'ask'; readonly from: number; readonly executorId: number; readonly bootId: number; readonly want: number }
  /** the answer: so many attempts may be dispatched there, within three seconds */
  | { readonly kind: 'lend'; readonly from: number; readonly executorId: number; readonly bootId: number; readonly count: number }
  /** to the node that holds the link: what was lent and is not needed */
  | { readonly kind: 'giveBack'; readonly from: number; readonly executorId: number; readonly bootId: number; readonly count: number }
  /** to all: attempts of these groups, which have a limit, have ended */
  | { readonly kind: 'room'; readonly from: number; readonly ids: readonly number[] }
  /** to all: sessions, tokens or grants changed */
  | { readonly kind: 'access'; readonly from: number }
  /** to all: consoles watch on the sender from now on: send events to `watchers` */
  | { readonly kind: 'watching'; readonly from: number }
  /** to nodes that consoles watch: what happened, gathered. `events` are as the engine emits them; `more`: some were left out, look at everything */
  | { readonly kind: 'events'; readonly from: number; readonly events: readonly unknown[]; readonly more: boolean }

/** At most so many ids in one message; more are sent in several. */
export const IDS_IN_A_MESSAGE = 1000

const VERSION = 1

export function encodeMessage(message: BusMessage): string {
  return JSON.stringify({ v: VERSION, ...message })
}

/** A message that another node sent; null when it is none, or of a kind or version that this program does not know. */
export function decodeMessage(text: string): BusMessage | null {
  try {
    const value: unknown = JSON.parse(text)
    return isMessage(value) ? value : null
  } catch {
    return null
  }
}

const CHECKS: Readonly<Record<BusMessage['kind'], (value: Fields) => boolean>> = {
  members: () => true,
  access: () => true,
  watching: () => true,
  series: hasIds,
  runs: hasIds,
  send: hasIds,
  executors: hasIds,
  room: hasIds,
  ask: (value) => hasExecutor(value) && isCount(value['want']),
  lend: (value) => hasExecutor(value) && isCount(value['count']),
  giveBack: (value) => hasExecutor(value) && isCount(value['count']),
  events: (value) => Array.isArray(value['events']) && typeof value['more'] === 'boolean',
}

type Fields = Readonly<Record<string, unknown>>

function isMessage(value: unknown): value is BusMessage {
  if (typeof value !== 'object' || value === null) return false
  const fields: Fields = { ...value }
  const { kind } = fields
  if (fields['v'] !== VERSION || !isCount(fields['from']) || typeof kind !== 'string') return false
  return isKind(kind) && CHECKS[kind](fields)
}

function isKind(kind: string): kind is BusMessage['kind'] {
  return Object.hasOwn(CHECKS, kind)
}

function hasIds({ ids }: Fields): boolean {
  return Array.isArray(ids) && ids.every(isCount)
}

function hasExecutor({ executorId, bootId }: Fields): boolean {
  return isCount(executorId) && isCount(bootId)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
