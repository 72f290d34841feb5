/**
 * The tables, as rows. `storage.md` of the design says why each is shaped so. Instants are epoch ms, ids are numbers below 2^53, flags are 0 or 1,
 * enumerations are the integers of core (`PHASE`, `OUTCOME`, `CAUSE`, `REASON`). JSON columns are text.
 */
import type { ExecutorTransport } from '@tickwheel/contract'

export interface IdBlockRow {
  name: string
  next_id: number
}
export interface MetaRow {
  key: string
  value: string
}
export interface NodeRow {
  run_id: number
  name: string
  url: string
  roles: string
  version: string
  level: number
  connection_ids: string
  beat_at: number
  /** what the node tells the others, as JSON (`NodeFacts`) */
  facts: string | null
}
export interface SlotRow {
  id: number
  fence: number
  owner_run: number | null
  taken_at: number
}

export interface GroupRow {
  id: number
  name: string
  name_key: string
  app_name: string
  description: string
  version: number
  /** attempts in flight over all nodes; null and 0: no limit */
  concurrency: number | null
  /** what its XXL-JOB executors send; null: what all send; empty: nothing; else a token of its own, sealed */
  xxl_token: string | null
  created_at: number
  updated_at: number
}
export interface TaskRow {
  id: number
  group_id: number
  name: string
  name_key: string | null
  version: number
  enabled: number
  series_id: number
  deleted_at: number | null
  description: string
  owner: string
  tags: string
  schedule_kind: string
  handler_kind: string
  schedule: string
  created_at: number
  updated_at: number
  /** why it has stopped by itself, as JSON; null once somebody has started or saved it */
  paused: string | null
}
export interface TaskVersionRow {
  task_id: number
  version: number
  saved_at: number
  saved_by: number | null
  saved_by_name: string
  definition: string
}
/** Which schedule was in force when: `from_at` inclusive, `to_at` exclusive (null: still). `anchor_at` is the origin of a rate's grid and of the first fixedDelay. */
export interface ScheduleSpanRow {
  series_id: number
  from_at: number
  to_at: number | null
  task_version: number
  enabled: number
  schedule: string
  anchor_at: number
  /** the version of a calendar that leaves instants out; null: none does. `calendar_zone`: by whose clock it tells days, where the schedule has no zone of its own */
  calendar_id: number | null
  calendar_version: number | null
  calendar_zone: string | null
}
/** `held`: JSON `{ reason, at }` when data is wrong and the series does not fire until a person decides. `awaits_id`: the open run whose end starts the delay of a fixedDelay. */
export interface SeriesRow {
  id: number
  kind: number
  owner_id: number
  group_id: number
  slot: number
  next_due_at: number | null
  last_due_at: number
  task_version: number
  revision: number
  awaits_id: number | null
  held: string | null
}
export interface FiringRow {
  due_at: number
  series_id: number
  prev_due_at: number
  task_version: number
  instance_id: number
}
export interface SkipRow {
  series_id: number
  from_at: number
  to_at: number
  prev_due_at: number
  count: number | null
  reason: number
  facts: string
  instance_id: number | null
  decided_at: number
}
export interface FiringHourRow {
  hour_at: number
  series_id: number
  fired: number
  first_due_at: number
  last_due_at: number
  first_id: number
  last_id: number
}

/** The one row of whoever reckons: how far it has walked, and its totals since `since_at`. */
export interface ReckonerRow {
  name: string
  revision: number
  since_at: number
  due_at: number
  series_id: number
  reckoned_at: number
  fired: number
  skipped: number
  missing: number
  doubled: number
}
export interface ReckonedRow {
  series_id: number
  settled_at: number
  skip_from: number
  counted: number
}
export interface VerdictRow {
  hour_at: number
  group_id: number
  code: number
  n: number
}
export interface FindingRow {
  series_id: number
  kind: number
  from_at: number
  to_at: number
  n: number
  task_id: number
  group_id: number
  facts: string
  found_at: number
  gone_at: number | null
}
export interface RecoveryRow {
  id: number
  from_at: number
  began_at: number
  last_at: number
  tasks: number
}
export interface RecoveryGroupRow {
  recovery_id: number
  group_id: number
  made_up: number
  skipped: number
}
/** `policy`: the misfire policy that decided, or `restored`; empty: it fired late within its grace time. */
export interface RecoveryTaskRow {
  recovery_id: number
  task_id: number
  group_id: number
  policy: string
  made_up: number
  skipped: number
  first_at: number
  last_at: number
}

/** What a run is, in both tables. */
export interface RunFacts {
  id: number
  slot: number
  group_id: number
  task_id: number
  task_version: number
  cause: number
  actor: string | null
  series_id: number | null
  due_at: number | null
  created_at: number
  priority: number
  retry_of: number | null
  attempt: number
  tries: number
  executor_id: number | null
  boot_id: number | null
  queued_at: number | null
  sent_at: number | null
  accepted_at: number | null
  started_at: number | null
  cancel_at: number | null
  cancel_by: string | null
  trace: string
  /** the run of which this is a shard; also of a shard that a person runs again */
  parent_id: number | null
  /** 0 to `shard_total` - 1; null: no shard */
  shard_index: number | null
  /** of a shard, and of a parent that was split */
  shard_total: number | null
  shard_key: string | null
  /** JSON `{ range }`, `{ items }` or `{ executorId }` of a shard, `{ mapped: 1 }` with its items, or `far: 1` where they stand in a payload, `{ executors: [[id, name], …] }` of a parent that is broadcast, `{ fanOut }` of that of a fan-out */
  shard_part: string | null
  /** of a parent: its shards have the ids from here on, in the order of their index */
  first_child_id: number | null
  children_made: number | null
  /** JSON: how many shards ended in each state, as far as their signals were applied */
  children_ended: string | null
  /** the run of a workflow whose step this run does; null: none */
  workflow_run_id: number | null
  /** the workflow, and its version, of which the step is part; of a step defined in place, and of a fan-out, `task_id` is `workflow_id` */
  workflow_id: number | null
  workflow_version: number | null
  step_no: number | null
  /** 1: a run of a workflow itself */
  runs_workflow: number | null
  /** how many shards its handler has split off, of the attempt that did it last; null: none */
  mapped: number | null
  /** 1: when its shards have ended, one more attempt combines their results; 2: that is queued, or more; null: there is no such */
  reduce: number | null
}
/** `lane`: the group while it is queued, else 0; -1 of a run of a workflow that is queued or has begun. `wait_code` and `wait_facts`: why it waits now. `progress`: JSON `[value, text]`. `pinned_executor_id`: chosen by a person, or the one of a broadcast. */
export interface OpenInstanceRow extends RunFacts {
  phase: number
  lane: number
  rank_at: number
  on_end: number
  wait_code: number | null
  wait_facts: string | null
  progress: string | null
  /** shards that were made and whose end was not applied */
  children_open: number | null
  pinned_executor_id: number | null
  /** the executor of the attempt before, while the next is waited for and after; null: there was none */
  tried_executor_id: number | null
}
export interface InstanceRow extends RunFacts {
  outcome: number
  ended_at: number
  result: string | null
  error_code: string | null
  error: string | null
}
export interface AttemptRow {
  instance_id: number
  attempt: number
  late: number
  executor_id: number | null
  boot_id: number | null
  sent_at: number | null
  accepted_at: number | null
  started_at: number | null
  ended_at: number
  outcome: number
  error_code: string | null
  error: string | null
}
/** kind 1: params of the run that differ from the task's; 2: result over 2 KiB; 3: error over 2 KiB; 4: items of a shard that its handler split off, over 2 KiB; 5: the items of a fan-out. */
export interface PayloadRow {
  instance_id: number
  kind: number
  body: string
}
/** Shards that an attempt has split off and that are not made yet. `body`: JSON of `MappedShard[]`; `shards`, `bytes`: how many, and how long it is. */
export interface MapFrameRow {
  instance_id: number
  attempt: number
  seq: number
  shards: number
  bytes: number
  body: string
}
export interface RetryLinkRow {
  instance_id: number
  retry_id: number
}
/**
 * kind 1: a fixedDelay series awaits the end of this run (target = series); 2: a once has fired (target = task); 3: a run has failed
 * that counts towards `pauseAfterFailures` (target = task; that of a fixedDelay names the task in `facts`, so that one row does); 4: a shard has ended
 * (target = its parent); 5: what a step of a workflow did has ended (target = the run of the workflow, slot = the workflow's); 6: a run of a backfill has
 * ended (target = the backfill).
 */
export interface SignalRow {
  id: number
  slot: number
  kind: number
  target_id: number
  instance_id: number
  outcome: number
  at: number
  facts: string
}

export interface ExecutorRow {
  id: number
  group_id: number
  name: string
  boot_id: number
  recovered_boot: number
  registered_at: number
  state: number
  draining: number
  transport: ExecutorTransport
  version: string
  host: string
  pid: number
  capacity: number
  labels: string
  handlers: string
  /** the process that holds its link */
  link_run: number | null
  /** where it is reached when it opens no connection of its own */
  address: string | null
  /** the keys of the processes that have had the name, parted by blanks, the newest first; and the boot that the newest got */
  process_key: string | null
  process_boot: number | null
  /** its boot, where it knows runs that are split by their handler */
  map_boot: number | null
}
/** `schemas`: JSON, the schema of its parameters by the name of each named handler that declares one. */
export interface ExecutorSchemaRow {
  executor_id: number
  boot_id: number
  schemas: string
}
export interface ExecutorBeatRow {
  executor_id: number
  boot_id: number
  seen_at: number
  load: string | null
}

/** An XXL-JOB executor that registered under an app name that no group has. */
export interface UnclaimedExecutorRow {
  app_name: string
  address: string
  seen_at: number
}
/** An attempt at an XXL-JOB executor under the number by which the executor knows it (`logId`). */
export interface WireRow {
  id: number
  instance_id: number
  attempt: number
  executor_id: number
  boot_id: number
  /** the instant that the executor was told, by which it finds its log file */
  log_at: number
  timeout_ms: number
}

export interface CounterRow {
  hour_at: number
  group_id: number
  metric: number
  lane: number
  n: number
}
export interface RequestKeyRow {
  key_hash: string
  answer: string
  at: number
}
export interface AuditRow {
  id: number
  at: number
  actor_kind: string
  actor_id: number | null
  actor_name: string
  ip: string
  request_id: string
  action: string
  resource_kind: string
  resource_id: number | null
  resource_key: string
  group_id: number | null
  outcome: string
  code: string | null
  count: number
  before: string | null
  after: string | null
}

export interface UserRow {
  id: number
  username: string
  name_key: string
  display_name: string
  password_hash: string
  must_change: number
  first_password: number
  disabled: number
  /** 1: has a binding of the role admin in all groups; for programs before schema level 9, which know nothing else */
  is_admin: number
  created_at: number
  password_at: number
  /** null: 1 */
  version: number | null
  last_login_at: number | null
}
/** A role that people have made. `permissions` is a JSON list of names. */
export interface AccessRoleRow {
  id: number
  name: string
  name_key: string
  description: string
  permissions: string
  version: number
  created_at: number
  updated_at: number
}
/** What a user or an API token is given. `role_key`: the name of a built-in role, or `#` and the id of another; `group_ids`: a JSON list, null: all groups. */
export interface AccessBindingRow {
  holder_kind: string
  holder_id: number
  no: number
  role_key: string
  group_ids: string | null
}
/** A sign-in and its refresh family. `refresh_hash` is the current refresh token; `previous_hash` the one before: seeing it again ends the family. */
export interface SessionRow {
  id: string
  user_id: number
  refresh_hash: string
  previous_hash: string | null
  created_at: number
  rotated_at: number
  expires_at: number
  ended_at: number | null
  limited: number
  ip: string
}
export interface TokenRow {
  id: number
  kind: string
  name: string
  hash: string
  group_ids: string
  created_at: number
  created_by: number | null
  expires_at: number | null
  last_used_at: number | null
  revoked_at: number | null
  /** of an API token: JSON of its own budgets; null: the configured ones */
  rate_limit: string | null
  /** of an API token: JSON list of the addresses that it was used from last */
  addresses: string | null
}

/** Only where logs are in the database. */
export interface LogChunkRow {
  instance_id: number
  attempt: number
  first_seq: number
  lines: number
  bytes: number
  dropped: number
  at: number
  codec: number
  body: Uint8Array
}
export interface LogEndRow {
  instance_id: number
  attempt: number
  lines: number
  bytes: number
  dropped: number
}

export interface WorkflowRunRow {
  run_id: number
  workflow_id: number
  version: number
  run_date: string
  depth: number
  paused_at: number | null
  paused_by: string | null
}
export interface StepRunRow {
  run_id: number
  step_no: number
  round: number
  /** `STEP_STATE` of core */
  state: number
  /** the run that does it: of a task, a sub-workflow, or the parent of a fan-out */
  instance_id: number | null
  started_at: number | null
  ended_at: number | null
  next_at: number | null
  branch: string | null
  edges: string | null
  facts: string | null
  /** JSON, at most 64 KiB */
  output: string | null
  error_code: string | null
  error: string | null
  reused_from: number | null
}

/** Runs again what was due. `made`: how many of its `total` instants have a run. The task says in which group. */
export interface BackfillRow {
  id: number
  task_id: number
  slot: number
  /** `BACKFILL_STAGE` */
  stage: number
  from_at: number
  to_at: number
  only_code: number
  direction: number
  concurrency: number
  total: number
  made: number
  open_runs: number
  ended: string
  actor: string
  created_at: number
  ended_at: number | null
}
export interface BulkRow {
  id: number
  slot: number
  /** `BULK_STAGE` */
  stage: number
  /** `KIND_CODES` */
  kind: number
  /** `ACTION_CODES` */
  action: number
  cancel_running: number
  owner_id: number
  caller: string
  filter: string | null
  total: number
  done: number
  failed: number
  created_at: number
  ended_at: number | null
}
export interface BulkItemRow {
  bulk_id: number
  place: number
  target_id: number
  group_id: number
  name: string
  /** `BULK_ITEM` */
  state: number
  run_id: number | null
  problem: string | null
}
export interface BackfillPlanRow {
  backfill_id: number
  part: number
  due: string
}
export interface BackfillRunRow {
  task_id: number
  due_at: number
  backfill_id: number
  instance_id: number
}
export interface AlarmRuleRow {
  id: number
  /** null: every group */
  group_id: number | null
  name: string
  name_key: string
  version: number
  enabled: number
  /** JSON of `AlarmCondition[]` */
  conditions: string
  task_ids: string
  channel_ids: string
  grouping: string
  tells_recovery: number
  quiet_hours: string | null
  silenced_until: number | null
  created_at: number
  updated_at: number
}
export interface AlarmStateRow {
  rule_id: number
  slot: number
  next_at: number | null
  pace: string
}
export interface AlarmTrackRow {
  rule_id: number
  task_id: number
  facts: string
  updated_at: number
}
/** `event`: `ALARM_EVENT` of core; `target_kind`: `ALARM_TARGET`; `outcome`: of the run, or 0. */
export interface AlarmSignalRow {
  rule_id: number
  event: number
  signal_key: string
  slot: number
  at: number
  group_id: number | null
  target_kind: number
  target_id: number
  instance_id: number
  outcome: number
  count: number
  facts: string
}
/** `state`: `INCIDENT_STATE` of core. */
export interface IncidentRow {
  id: number
  rule_id: number
  rule_name: string
  group_id: number | null
  event: number
  target_kind: number
  target_id: number
  target_name: string
  state: number
  count: number
  opened_at: number
  last_at: number
  last_instance_id: number
  acknowledged_at: number | null
  acknowledged_by: string | null
  silenced_until: number | null
  recovered_at: number | null
  recovered_by: string | null
  told_count: number | null
  told_state: number | null
  pending: number
  runs: string
  facts: string
}
export interface IncidentRunRow {
  incident_id: number
  instance_id: number
  outcome: number
  at: number
}
export interface AlarmChannelRow {
  id: number
  group_id: number | null
  name: string
  name_key: string
  version: number
  enabled: number
  kind: string
  config: string
  secrets: string | null
  language: string
  template: string | null
  failed_in_a_row: number
  last_sent_at: number | null
  last_error: string | null
  created_at: number
  updated_at: number
}
/** `state`: `DELIVERY_STATE` of core. A claim is taken by compare-and-set, and is free again after `claimed_until`. */
export interface DeliveryRow {
  id: number
  incident_id: number | null
  rule_id: number | null
  channel_id: number
  group_id: number | null
  kind: string
  event: number
  body: string
  state: number
  tries: number
  created_at: number
  next_try_at: number
  claimed_by: number | null
  claimed_until: number | null
  ended_at: number | null
  error: string | null
}

/** A plain value. `group_id` 0: of all groups. */
export interface VariableRow {
  id: number
  group_id: number
  name: string
  description: string
  value: string
  version: number
  created_at: number
  updated_at: number
}
/** How a value is sealed: `sealed` with `data_key`, that itself with the key that `key_id` names. */
export interface SealedColumns {
  sealed: string
  data_key: string
  key_id: string
}
/** A sealed value. `group_id` 0: of all groups. */
export interface SecretRow extends SealedColumns {
  id: number
  group_id: number
  name: string
  description: string
  version: number
  last_used_at: number | null
  created_at: number
  updated_at: number
}
/** A value that a secret had: runs that were given it may still print it. Kept until `until_at`. */
export interface SecretPastRow extends SealedColumns {
  id: number
  secret_id: number
  group_id: number
  name: string
  until_at: number
}
/** The present version of a task or a workflow refers to a name, as tasks of `group_id` know it. kind 1: variable, 2: secret. */
export interface VariableUseRow {
  task_id: number
  kind: number
  name: string
  group_id: number
}
/** `group_id` 0: of all groups. `rules_version`: at which the rules changed last. `is_applying`: some followers may not know them yet. `name_key` null: it is deleted. */
export interface CalendarRow {
  id: number
  group_id: number
  name: string
  name_key: string | null
  description: string
  version: number
  rules_version: number
  is_applying: number
  last_day: string | null
  day_count: number
  blackout_count: number
  created_at: number
  updated_at: number
  deleted_at: number | null
}
/** `rules`: JSON, never changed. */
export interface CalendarVersionRow {
  calendar_id: number
  version: number
  saved_at: number
  saved_by: number | null
  saved_by_name: string
  rules: string
}
/** A task or a workflow uses a calendar, and its last span names `version` of it. */
export interface CalendarUseRow {
  task_id: number
  calendar_id: number
  version: number
}

export interface Schema {
  id_block: IdBlockRow
  meta: MetaRow
  node: NodeRow
  slot: SlotRow
  task_group: GroupRow
  task: TaskRow
  task_version: TaskVersionRow
  schedule_span: ScheduleSpanRow
  series: SeriesRow
  firing: FiringRow
  skip: SkipRow
  firing_hour: FiringHourRow
  open_instance: OpenInstanceRow
  instance: InstanceRow
  attempt: AttemptRow
  payload: PayloadRow
  retry_link: RetryLinkRow
  map_frame: MapFrameRow
  signal: SignalRow
  workflow_run: WorkflowRunRow
  step_run: StepRunRow
  backfill: BackfillRow
  backfill_plan: BackfillPlanRow
  backfill_run: BackfillRunRow
  bulk: BulkRow
  bulk_item: BulkItemRow
  executor: ExecutorRow
  executor_schema: ExecutorSchemaRow
  executor_beat: ExecutorBeatRow
  wire: WireRow
  unclaimed_executor: UnclaimedExecutorRow
  counter: CounterRow
  request_key: RequestKeyRow
  audit: AuditRow
  user: UserRow
  session: SessionRow
  token: TokenRow
  access_role: AccessRoleRow
  access_binding: AccessBindingRow
  variable: VariableRow
  secret: SecretRow
  secret_past: SecretPastRow
  variable_use: VariableUseRow
  calendar: CalendarRow
  calendar_version: CalendarVersionRow
  calendar_use: CalendarUseRow
  log_chunk: LogChunkRow
  log_end: LogEndRow
  alarm_rule: AlarmRuleRow
  alarm_state: AlarmStateRow
  alarm_track: AlarmTrackRow
  alarm_signal: AlarmSignalRow
  incident: IncidentRow
  incident_run: IncidentRunRow
  alarm_channel: AlarmChannelRow
  delivery: DeliveryRow
  reckoner: ReckonerRow
  reckoned: ReckonedRow
  verdict: VerdictRow
  finding: FindingRow
  recovery: RecoveryRow
  recovery_group: RecoveryGroupRow
  recovery_task: RecoveryTaskRow
}
export type Table = keyof Schema
