import { table } from '../dialect/table.ts'

/**
 * `group_id` null: it watches every group. `conditions`, `task_ids`, `channel_ids`, `quiet_hours`: JSON. `silenced_until`: epoch ms; it is no part of
 * what a person edits.
 */
const rule = table(
  'alarm_rule',
  {
    id: 'big',
    group_id: 'big?',
    name: 'name',
    name_key: 'name',
    version: 'int',
    enabled: 'int',
    conditions: 'text',
    task_ids: 'text',
    channel_ids: 'text',
    grouping: 'name',
    tells_recovery: 'int',
    quiet_hours: 'text?',
    silenced_until: 'big?',
    created_at: 'big',
    updated_at: 'big',
  },
  ['id'],
  { unique: [['name_key']] },
)

/**
 * What a rule remembers; its one consumer locks this row. `next_at`: when it is looked at without a signal. `pace`: JSON, when messages went out
 * (`Pace` of core).
 */
const state = table('alarm_state', { rule_id: 'big', slot: 'int', next_at: 'big?', pace: 'text' }, ['rule_id'])

/** What a rule remembers of a thing that it watches: JSON (`Track` of core), bounded. */
const track = table('alarm_track', { rule_id: 'big', task_id: 'big', facts: 'text', updated_at: 'big' }, ['rule_id', 'task_id'])

/**
 * What happened that a rule watches for, left in the transaction that caused it. `signal_key` names the occurrence, so that it is left once: `r` and the run,
 * `s` the series and the instant, or what the one that raised it says. `instance_id` 0: no run.
 */
const signal = table(
  'alarm_signal',
  {
    rule_id: 'big',
    event: 'int',
    signal_key: 'name',
    slot: 'int',
    at: 'big',
    group_id: 'big?',
    target_kind: 'int',
    target_id: 'big',
    instance_id: 'big',
    outcome: 'int',
    count: 'int',
    facts: 'text',
  },
  ['rule_id', 'event', 'signal_key'],
  { indexes: [['at', 'slot']] },
)

/**
 * `told_count`, `told_state`: what the last message said of it; null: nothing yet. `pending`: 1 while there is something to tell. `runs`: JSON, the last five;
 * `facts`: JSON. `target_id` 0: a thing without an id.
 */
const incident = table(
  'incident',
  {
    id: 'big',
    rule_id: 'big',
    rule_name: 'name',
    group_id: 'big?',
    event: 'int',
    target_kind: 'int',
    target_id: 'big',
    target_name: 'name',
    state: 'int',
    count: 'big',
    opened_at: 'big',
    last_at: 'big',
    last_instance_id: 'big',
    acknowledged_at: 'big?',
    acknowledged_by: 'name?',
    silenced_until: 'big?',
    recovered_at: 'big?',
    recovered_by: 'name?',
    told_count: 'big?',
    told_state: 'int?',
    pending: 'int',
    runs: 'text',
    facts: 'text',
  },
  ['id'],
  {
    indexes: [
      ['rule_id', 'state', 'id'],
      ['rule_id', 'pending', 'id'],
    ],
  },
)

const incidentRun = table('incident_run', { incident_id: 'big', instance_id: 'big', outcome: 'int', at: 'big' }, [
  'incident_id',
  'instance_id',
])

/** `config`: JSON without secrets. `secrets`: JSON of the secret values by name, sealed. `template`: JSON. */
const channel = table(
  'alarm_channel',
  {
    id: 'big',
    group_id: 'big?',
    name: 'name',
    name_key: 'name',
    version: 'int',
    enabled: 'int',
    kind: 'name',
    config: 'text',
    secrets: 'text?',
    language: 'name',
    template: 'text?',
    failed_in_a_row: 'int',
    last_sent_at: 'big?',
    last_error: 'text?',
    created_at: 'big',
    updated_at: 'big',
  },
  ['id'],
  { unique: [['name_key']] },
)

/** The outbox. `body`: JSON of `AlarmMessage`. `next_try_at`: epoch ms. `claimed_by`: the run id of the node that sends it now. */
const delivery = table(
  'delivery',
  {
    id: 'big',
    incident_id: 'big?',
    rule_id: 'big?',
    channel_id: 'big',
    group_id: 'big?',
    kind: 'name',
    event: 'int',
    body: 'long',
    state: 'int',
    tries: 'int',
    created_at: 'big',
    next_try_at: 'big',
    claimed_by: 'big?',
    claimed_until: 'big?',
    ended_at: 'big?',
    error: 'text?',
  },
  ['id'],
  { indexes: [['state', 'next_try_at']] },
)

export const alarms = { tables: [rule, state, track, signal, incident, incidentRun, channel, delivery] }
