import { REASON, reasonOf, type Facts, type Reason } from '../reason.ts'

/**
 * The decision trace of a run: a JSON array of `[code, offsetMs, facts?]`, where the offset counts from the run's creation. At most 4 KiB; what no
 * longer fits is counted in one last `traceCut` entry.
 */
export interface TraceEntry {
  readonly reason: Reason
  readonly at: number
  readonly facts: Facts
}

export const TRACE_LIMIT = 4096
/** Room kept for the mark that says how many entries were dropped. */
const MARK_ROOM = 48

/** The trace with entries added. Shape of `trace`: as stored, `[]` at first. Never longer than 4,096 characters. */
export function appendTrace(trace: string, createdAt: number, entries: readonly TraceEntry[]): string {
  let text = trace.length < 2 ? '[]' : trace
  for (const entry of entries) text = appendOne(text, createdAt, entry)
  return text
}

function appendOne(text: string, createdAt: number, entry: TraceEntry): string {
  const item = encode(entry, createdAt)
  const joined = text === '[]' ? `[${item}]` : `${text.slice(0, -1)},${item}]`
  return joined.length <= TRACE_LIMIT - MARK_ROOM ? joined : cut(text, entry.at - createdAt)
}

function encode(entry: TraceEntry, createdAt: number): string {
  const offset = Math.max(0, entry.at - createdAt)
  return Object.keys(entry.facts).length === 0
    ? `[${REASON[entry.reason]},${offset}]`
    : JSON.stringify([REASON[entry.reason], offset, entry.facts])
}

const MARK = new RegExp(`,\\[${REASON.traceCut},(\\d+),\\{"dropped":(\\d+)\\}\\]\\]$`)

function cut(text: string, offset: number): string {
  const found = MARK.exec(text)
  const dropped = found === null ? 1 : Number(found[2]) + 1
  const kept = found === null ? text.slice(0, -1) : text.slice(0, found.index)
  return `${kept},[${REASON.traceCut},${Math.max(0, offset)},{"dropped":${dropped}}]]`
}

/** The entries of a stored trace, in order. Entries that this version does not know, or that are damaged, are left out. */
export function readTrace(trace: string, createdAt: number): TraceEntry[] {
  const items: unknown = parse(trace)
  return Array.isArray(items) ? items.flatMap((item) => decode(item, createdAt)) : []
}

function parse(trace: string): unknown {
  try {
    return JSON.parse(trace)
  } catch {
    return []
  }
}

function decode(item: unknown, createdAt: number): TraceEntry[] {
  if (!isList(item)) return []
  const [code, offset, facts] = item
  if (typeof code !== 'number' || typeof offset !== 'number') return []
  const reason = reasonOf(code)
  return reason === null ? [] : [{ reason, at: createdAt + offset, facts: isFacts(facts) ? facts : {} }]
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function isFacts(value: unknown): value is Facts {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
