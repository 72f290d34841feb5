import type { AlarmCondition, AlarmRuleCreate, Finished } from '@tickwheel/contract'
import type { AlarmMessage } from '@tickwheel/core'
import type { Session } from '../link/link.ts'
import { createRule } from '../store/alarm-rules.ts'
import type { Database } from '../store/database.ts'
import type { DeliveryRow, IncidentRow } from '../store/schema.ts'
import { changeAt } from '../store/store.fixture.ts'
import { ALICE, ALL, type World } from './world.fixture.ts'

export const CHANNEL = 900

/** A channel that the test reads. */
export async function addChannel(db: Database, id = CHANNEL): Promise<void> {
  await db.write('rest', (tx) =>
    tx.insert('alarm_channel', [
      {
        id,
        group_id: null,
        name: `channel ${id}`,
        name_key: `channel ${id}`,
        version: 1,
        enabled: 1,
        kind: 'webhook',
        config: '{}',
        secrets: null,
        language: 'en',
        template: null,
        failed_in_a_row: 0,
        last_sent_at: null,
        last_error: null,
        created_at: 0,
        updated_at: 0,
      },
    ]),
  )
}

let rules = 0

/** A rule in force on every node that the store has. */
export async function addRule(
  db: Database,
  now: number,
  conditions: readonly AlarmCondition[],
  more: Partial<AlarmRuleCreate> = {},
): Promise<number> {
  rules += 1
  const input: AlarmRuleCreate = { name: `rule ${rules}`, groupId: 1, conditions: [...conditions], channelIds: [CHANNEL], ...more }
  return (await createRule(db, { input }, changeAt(now))).ruleId
}

export async function incidentsOf(db: Database): Promise<IncidentRow[]> {
  return db.read((tx) => tx.all<IncidentRow>('SELECT * FROM incident ORDER BY id'))
}

export interface Sent {
  readonly at: number
  readonly channelId: number
  readonly message: AlarmMessage
}

/** What was left in the outbox, oldest first. */
export async function outbox(db: Database): Promise<Sent[]> {
  const rows = await db.read((tx) => tx.all<DeliveryRow>('SELECT * FROM delivery ORDER BY created_at, id'))
  return rows.map((row) => ({ at: row.created_at, channelId: row.channel_id, message: JSON.parse(row.body) as AlarmMessage }))
}

/** Runs a task once, and it ends as its executor says. */
export async function runOnce(world: World, executor: Session, taskId: number, end: Partial<Finished> = {}): Promise<number> {
  const { instanceId } = await world.engine.trigger(taskId, {}, null, ALL, ALICE)
  await world.settled()
  const sent = world.link.dispatches().find((dispatch) => dispatch.instanceId === instanceId)
  if (sent === undefined) throw new Error(`run ${instanceId} was not sent`)
  await world.accept(executor, sent)
  await world.finish(executor, sent, end)
  return instanceId
}

export const FAILS: Partial<Finished> = { outcome: 'failed', error: { code: 'EXIT_CODE', message: 'exit 1' } }
