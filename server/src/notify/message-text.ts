import { ALARM_EVENTS, ALARM_TARGETS, MESSAGE_KINDS, type AlarmMessage } from '@tickwheel/core'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'

const Target = Type.Object({ kind: Type.Enum([...ALARM_TARGETS]), id: Type.Union([Type.Number(), Type.Null()]), name: Type.String() })
const Named = Type.Union([Type.Object({ id: Type.Number(), name: Type.String() }), Type.Null()])
const check = Compile(
  Type.Object({
    kind: Type.Enum([...MESSAGE_KINDS]),
    incidentId: Type.Union([Type.Number(), Type.Null()]),
    event: Type.Enum([...ALARM_EVENTS]),
    rule: Named,
    group: Named,
    target: Type.Union([Target, Type.Null()]),
    count: Type.Number(),
    firstAt: Type.Number(),
    lastAt: Type.Number(),
    runs: Type.Array(
      Type.Object({ id: Type.Number(), outcome: Type.String(), at: Type.Number(), error: Type.Union([Type.String(), Type.Null()]) }),
    ),
    facts: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])),
    incidents: Type.Array(
      Type.Object({
        id: Type.Number(),
        kind: Type.Enum(['opened', 'repeated', 'recovered']),
        event: Type.Enum([...ALARM_EVENTS]),
        target: Target,
        count: Type.Number(),
        firstAt: Type.Number(),
        lastAt: Type.Number(),
      }),
    ),
  }),
)

/** The message that a delivery carries; null: it was written by a newer version, or is damaged. */
export function readMessage(text: string): AlarmMessage | null {
  try {
    const value: unknown = JSON.parse(text)
    return check.Check(value) ? value : null
  } catch {
    return null
  }
}
