import { FIRST_PACE, slotOf, type AlarmMessage } from '@tickwheel/core'
import type { ReadTx, Tx } from '../../../server/src/store/database.ts'

const RULE = 1
const CHANNEL = 1

/** A rule that watches for every failure of every group, known before the first node starts; and a channel that nobody reads. */
export async function addAlarmRule(tx: Tx): Promise<void> {
  const common = { group_id: null, version: 1, enabled: 1, created_at: 0, updated_at: 0 }
  await tx.insert('alarm_channel', [
    {
      ...common,
      id: CHANNEL,
      name: 'channel',
      name_key: 'channel',
      kind: 'webhook',
      config: '{}',
      secrets: null,
      language: 'en',
      template: null,
      failed_in_a_row: 0,
      last_sent_at: null,
      last_error: null,
    },
  ])
  await tx.insert('alarm_rule', [
    {
      ...common,
      id: RULE,
      name: 'failures',
      name_key: 'failures',
      conditions: JSON.stringify([{ event: 'failed' }, { event: 'timedOut' }, { event: 'lost' }]),
      task_ids: '[]',
      channel_ids: JSON.stringify([CHANNEL]),
      grouping: 'target',
      tells_recovery: 1,
      quiet_hours: null,
      silenced_until: null,
    },
  ])
  await tx.insert('alarm_state', [
    { rule_id: RULE, slot: slotOf('alarm', RULE), next_at: 0, pace: JSON.stringify({ pace: FIRST_PACE, deadlineAt: 0 }) },
  ])
  await tx.insert('id_block', [{ name: 'alarms', next_id: 1 }])
}

/** At the end: each failure is counted in one incident, once, and nothing else is; of no incident it was said twice that it is new. */
export async function alarmFaults(tx: ReadTx): Promise<string[]> {
  const failed = await tx.all<{ id: number; outcome: number }>(
    `SELECT id, outcome FROM instance WHERE outcome IN (2, 3, 5) AND cause <> 7 AND parent_id IS NULL
     AND NOT (workflow_run_id IS NOT NULL AND workflow_id = task_id)`,
  )
  const counted = new Map(
    (await tx.all<{ id: number; n: number }>('SELECT instance_id AS id, COUNT(*) AS n FROM incident_run GROUP BY instance_id')).map(
      (row) => [row.id, row.n],
    ),
  )
  const [sum] = await tx.all<{ n: number | null }>('SELECT SUM(count) AS n FROM incident')
  const [left] = await tx.all<{ n: number }>('SELECT COUNT(*) AS n FROM alarm_signal')
  const known = new Set(failed.map((row) => row.id))
  return [
    ...failed.flatMap(({ id, outcome }) =>
      counted.get(id) === 1 ? [] : [`run ${id} (${outcome}) is in ${counted.get(id) ?? 0} incidents`],
    ),
    ...[...counted.keys()].flatMap((id) => (known.has(id) ? [] : [`run ${id} is in an incident and has not failed`])),
    ...((sum?.n ?? 0) === failed.length ? [] : [`${failed.length} runs have failed, and incidents count ${sum?.n}`]),
    ...((left?.n ?? 0) === 0 ? [] : [`${left?.n} signals of alarms were never applied`]),
    ...(await saidTwice(tx)),
  ].map((fault) => `alarms: ${fault}`)
}

async function saidTwice(tx: ReadTx): Promise<string[]> {
  const rows = await tx.all<{ body: string }>('SELECT body FROM delivery')
  const opened = rows.flatMap(({ body }) => openedIn(JSON.parse(body) as AlarmMessage))
  return opened.filter((id, index) => opened.indexOf(id) < index).map((id) => `incident ${id} was said to be new twice`)
}

function openedIn({ kind, incidentId, incidents }: AlarmMessage): number[] {
  if (kind === 'opened' && incidentId !== null) return [incidentId]
  return incidents.flatMap((incident) => (incident.kind === 'opened' ? [incident.id] : []))
}
