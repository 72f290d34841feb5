/** From text to a walkable cron, through a cache: a million tasks share a few thousand expressions. */
import { findZone, type Zone } from '../time/zone.ts'
import { zonedCron, type InstantSet } from './cron.ts'
import type { CronDialect, CronFields } from './cron-fields.ts'
import { parseCron } from './cron-parse.ts'
import { CronWalker } from './cron-walk.ts'
import { LruMap } from './lru.ts'
import type { ScheduleProblem } from './problem.ts'

export interface CronSource {
  readonly expression: string
  readonly timezone: string
  readonly dialect?: CronDialect
}

export interface CompiledCron {
  readonly fields: CronFields
  readonly zone: Zone
  /** The wall times that the expression names. */
  readonly walls: CronWalker
  readonly instants: InstantSet
}

export type CronCompilation =
  { readonly ok: true; readonly cron: CompiledCron } | { readonly ok: false; readonly problems: readonly ScheduleProblem[] }

/** About 1 KB each. */
const MAX_CACHED_CRONS = 4096
const EARLIEST = -8.64e15

const compilations = new LruMap<string, CompiledCron>(MAX_CACHED_CRONS)

/** Reads an expression and its zone; tells every problem of both. An expression without a single instant is a problem. */
export function compileCron(source: CronSource): CronCompilation {
  const key = cronKey(source)
  const cached = compilations.get(key)
  if (cached !== undefined) return { ok: true, cron: cached }
  const compilation = compileAnew(source)
  if (compilation.ok) compilations.set(key, compilation.cron)
  return compilation
}

/** What two sources have alike that mean the same instants for sure. */
export function cronKey({ expression, timezone, dialect }: CronSource): string {
  return `${dialect ?? ''} ${timezone} ${expression}`
}

function compileAnew(source: CronSource): CronCompilation {
  const parsed = parseCron(source.expression, source.dialect)
  const zone = findZone(source.timezone)
  const problems: ScheduleProblem[] = []
  if (!parsed.ok) problems.push(...parsed.problems.map((problem) => ({ path: 'schedule.expression', ...problem })))
  if (zone === null) problems.push({ path: 'schedule.timezone', code: 'ZONE_UNKNOWN', params: { zone: source.timezone } })
  if (!parsed.ok || zone === null) return { ok: false, problems }
  const { fields } = parsed
  const walls = new CronWalker(fields)
  const instants = zonedCron(walls, zone, fields)
  if (instants.next(EARLIEST) !== null) return { ok: true, cron: { fields, zone, walls, instants } }
  return {
    ok: false,
    problems: [{ path: 'schedule.expression', code: 'CRON_NEVER_FIRES', params: { expression: source.expression } }],
  }
}
