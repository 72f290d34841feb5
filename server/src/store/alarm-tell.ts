import {
  ALARM_EVENT,
  alarmEventOf,
  alarmTargetOf,
  decidePace,
  DELIVERY_STATE,
  messageOf,
  newsOf,
  quietUntil,
  type IncidentFacts,
  type Pace,
  type Told,
} from '@tickwheel/core'
import { groupNames, type IncidentBook } from './alarm-book.ts'
import { factsIn, runsIn } from './alarm-incidents.ts'
import { idsIn, quietTimeOf } from './alarm-rule-row.ts'
import type { Tx } from './database.ts'
import { floorOfInstant } from './ids.ts'
import { listOfNumbers } from './list.ts'
import type { AlarmRuleRow, DeliveryRow, IncidentRow } from './schema.ts'

/** So many messages go to one channel in a minute, whatever rules there are; then its rules wait, and tell all of it at once. */
export const CHANNEL_PER_MINUTE = 10
const MINUTE_MS = 60_000

export interface Telling {
  readonly pace: Pace
  /** when there may be something to tell again, epoch ms; null: not before something happens */
  readonly nextAt: number | null
}

/**
 * Tells what there is to tell of a rule's incidents, if it is time: a message into the outbox for each of its channels, in the transaction that changes
 * the incidents.
 */
export async function tell(
  tx: Tx,
  { rule, book, pace, now, takeId }: { rule: AlarmRuleRow; book: IncidentBook; pace: Pace; now: number; takeId: () => number },
): Promise<Telling> {
  const { told, laterAt } = await sort(tx, rule, book, now)
  const [first, ...more] = told
  const until = heldUntil(rule, now)
  if (first === undefined || until !== null) return { pace, nextAt: first === undefined ? laterAt : until }
  const news = told.filter((one) => one.news !== 'repeated').length
  const decision = decidePace({ pace, news, again: told.length - news, now })
  if (!decision.says) return { pace, nextAt: earlier(decision.at, laterAt) }
  const channels = await openChannels(tx, rule, now)
  if (channels === 'busy') return { pace, nextAt: now + MINUTE_MS }
  const message = messageOf({ id: rule.id, name: rule.name }, [first, ...more])
  const common = {
    incident_id: message.incidentId,
    rule_id: rule.id,
    group_id: message.group?.id ?? null,
    kind: message.kind,
    event: ALARM_EVENT[message.event],
    body: JSON.stringify(message),
  }
  await tx.insert(
    'delivery',
    channels.map((channelId) => ({ id: takeId(), channel_id: channelId, ...common, ...newDelivery(now) })),
  )
  for (const { row } of told) book.told(row, true)
  return { pace: decision.pace, nextAt: laterAt }
}

interface ToldRow extends Told {
  readonly row: IncidentRow
}

/** What is to be told; of the rest it is noted that there is nothing. `laterAt`: when the first silence ends. */
async function sort(tx: Tx, rule: AlarmRuleRow, book: IncidentBook, now: number): Promise<{ told: ToldRow[]; laterAt: number | null }> {
  const { pending } = book
  const groups = await groupNames(
    tx,
    pending.flatMap((row) => row.group_id ?? []),
  )
  const told: ToldRow[] = []
  let laterAt: number | null = null
  for (const row of pending) {
    const incident = factsOfIncident(rule, row, groups)
    const news = newsOf(incident, { now, tellsRecovery: rule.tells_recovery === 1 })
    if (news === 'nothing') book.told(row, false)
    else if (news === 'later') laterAt = earlier(laterAt, incident.silencedUntil)
    else told.push({ row, incident, news })
  }
  return { told, laterAt }
}

function factsOfIncident(rule: AlarmRuleRow, row: IncidentRow, groups: ReadonlyMap<number, string>): IncidentFacts {
  return {
    id: row.id,
    event: alarmEventOf(row.event) ?? 'failed',
    target: { kind: alarmTargetOf(row.target_kind), id: row.target_id === 0 ? null : row.target_id, name: row.target_name },
    group: row.group_id === null ? null : { id: row.group_id, name: groups.get(row.group_id) ?? '' },
    state: row.state,
    count: row.count,
    openedAt: row.opened_at,
    lastAt: row.last_at,
    silencedUntil: later(row.silenced_until, rule.silenced_until),
    toldCount: row.told_count,
    toldState: row.told_state,
    runs: runsIn(row.runs),
    facts: factsIn(row.facts),
  }
}

/** When the quiet hours of a rule end; null: it is in none. */
function heldUntil(rule: AlarmRuleRow, now: number): number | null {
  const quiet = quietTimeOf(rule)
  return quiet === null ? null : quietUntil(quiet, now)
}

/** The channels of a rule that are there and switched on; `busy`: one of them has had its messages of this minute. */
async function openChannels(tx: Tx, rule: AlarmRuleRow, now: number): Promise<readonly number[] | 'busy'> {
  const ids = idsIn(rule.channel_ids)
  if (ids.length === 0) return []
  const list = listOfNumbers(ids)
  const open = await tx.all<{ id: number }>(`SELECT id FROM alarm_channel WHERE id IN ${list.sql} AND enabled = 1 ORDER BY id`, list.params)
  const counts = await tx.all<{ channel_id: number; n: number }>(
    'SELECT channel_id, COUNT(*) AS n FROM delivery WHERE id >= ? AND created_at > ? GROUP BY channel_id',
    [floorOfInstant(now - 2 * MINUTE_MS), now - MINUTE_MS],
  )
  const isBusy = counts.some(({ channel_id: id, n }) => n >= CHANNEL_PER_MINUTE && open.some((channel) => channel.id === id))
  return isBusy ? 'busy' : open.map((channel) => channel.id)
}

function newDelivery(
  now: number,
): Pick<DeliveryRow, 'state' | 'tries' | 'created_at' | 'next_try_at' | 'claimed_by' | 'claimed_until' | 'ended_at' | 'error'> {
  return {
    state: DELIVERY_STATE.waiting,
    tries: 0,
    created_at: now,
    next_try_at: now,
    claimed_by: null,
    claimed_until: null,
    ended_at: null,
    error: null,
  }
}

/** The earlier of two instants; null is never. */
export function earlier(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.min(left, right)
}

function later(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.max(left, right)
}
