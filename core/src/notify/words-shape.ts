import type { SkipReason } from '../reason.ts'
import type { AlarmEvent, AlarmTargetKind } from '../alarm/event.ts'
import type { MessageKind } from '../alarm/message.ts'

/** What a language has to say of alarms. */
export interface NoticeWords {
  readonly events: Readonly<Record<AlarmEvent, string>>
  readonly kinds: Readonly<Record<MessageKind, string>>
  readonly targets: Readonly<Record<AlarmTargetKind, string>>
  readonly outcomes: Readonly<Record<string, string>>
  /** one sentence under the title: what it means, or what to do */
  readonly leads: Readonly<Record<AlarmEvent | 'recovered', string>>
  readonly testLead: string
  readonly digestLead: string
  readonly titles: {
    readonly test: string
    readonly opened: (event: string, target: string, count: number) => string
    readonly repeated: (event: string, target: string, count: number) => string
    readonly recovered: (event: string, target: string, count: number) => string
    readonly digest: (count: number, incidents: number) => string
  }
  readonly labels: Readonly<Record<'target' | 'group' | 'event' | 'rule' | 'count' | 'firstAt' | 'lastAt' | 'sentAt', string>>
  /** names of facts; one that is not listed keeps its own */
  readonly facts: Readonly<Record<string, string>>
  /** why something did not run, where `facts.reason` is a code of the ledger */
  readonly reasons: Readonly<Record<SkipReason, string>>
  readonly run: string
  readonly open: string
  readonly yes: string
  readonly no: string
  readonly colon: string
  readonly duration: (ms: number) => string
}

const UNITS = [
  { ms: 86_400_000, name: 'day' },
  { ms: 3_600_000, name: 'hour' },
  { ms: 60_000, name: 'minute' },
  { ms: 1_000, name: 'second' },
] as const
export type DurationUnit = (typeof UNITS)[number]['name'] | 'millisecond'

/** A length of time in its two largest units: 90,000 is one minute and thirty seconds. Below a second: milliseconds. */
export function durationParts(ms: number): { readonly n: number; readonly unit: DurationUnit }[] {
  const whole = Math.max(0, Math.round(ms))
  const at = UNITS.findIndex((unit) => whole >= unit.ms)
  const first = UNITS[at]
  if (first === undefined) return [{ n: whole, unit: 'millisecond' }]
  const second = UNITS[at + 1]
  const left = second === undefined ? 0 : Math.floor((whole % first.ms) / second.ms)
  return [
    { n: Math.floor(whole / first.ms), unit: first.name },
    ...(second === undefined || left === 0 ? [] : [{ n: left, unit: second.name }]),
  ]
}
