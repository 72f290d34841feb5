import { table, type TableSpec } from '../dialect/table.ts'

const runFacts = {
  id: 'big', slot: 'int', group_id: 'big', task_id: 'big', task_version: 'int', cause: 'int', actor: 'name?', series_id: 'big?', due_at: 'big?', created_at: 'big', priority: 'int',
  retry_of: 'big?', attempt: 'int', tries: 'int', executor_id: 'big?', boot_id: 'big?', queued_at: 'big?', sent_at: 'big?', accepted_at: 'big?', started_at: 'big?', cancel_at: 'big?',
  cancel_by: 'name?', trace: 'text',
} as const

/** The first schema: everything that the main job needs, shaped for many nodes and for monthly partitions from the start. */
export const mainJob: readonly TableSpec[] = [
  table('id_block', { name: 'name', next_id: 'big' }, ['name']),
  table('meta', { key: 'name', value: 'text' }, ['key']),
  table('node', { run_id: 'big', name: 'name', url: 'name', roles: 'name', version: 'name', level: 'int', connection_ids: 'text', beat_at: 'big' }, ['run_id']),
  table('slot', { id: 'int', fence: 'big', owner_run: 'big?', taken_at: 'big' }, ['id']),

  table('task_group', { id: 'big', name: 'name', name_key: 'name', app_name: 'name', description: 'text', version: 'int', created_at: 'big', updated_at: 'big' }, ['id'], { unique: [['name_key'], ['app_name']] }),
  table(
    'task',
    {
      id: 'big', group_id: 'big', name: 'name', name_key: 'name?', version: 'int', enabled: 'int', series_id: 'big', deleted_at: 'big?', description: 'text', owner: 'name', tags: 'text',
      schedule_kind: 'name', handler_kind: 'name', schedule: 'text', created_at: 'big', updated_at: 'big',
    },
    ['id'],
    { unique: [['group_id', 'name_key']] },
  ),
  table('task_version', { task_id: 'big', version: 'int', saved_at: 'big', saved_by: 'big?', saved_by_name: 'name', definition: 'long' }, ['task_id', 'version']),
  table('schedule_span', { series_id: 'big', from_at: 'big', to_at: 'big?', task_version: 'int', enabled: 'int', schedule: 'text', anchor_at: 'big' }, ['series_id', 'from_at']),
  table(
    'series',
    { id: 'big', kind: 'int', owner_id: 'big', group_id: 'big', slot: 'int', next_due_at: 'big?', last_due_at: 'big', task_version: 'int', revision: 'big', awaits_id: 'big?', held: 'text?' },
    ['id'],
    { indexes: [['slot', 'next_due_at']] },
  ),

  table('firing', { due_at: 'big', series_id: 'big', prev_due_at: 'big', task_version: 'int', instance_id: 'big' }, ['due_at', 'series_id'], { partition: { by: 'due_at', range: 'instant' } }),
  table(
    'skip',
    { series_id: 'big', from_at: 'big', to_at: 'big', prev_due_at: 'big', count: 'int?', reason: 'int', facts: 'text', instance_id: 'big?', decided_at: 'big' },
    ['series_id', 'from_at'],
    { partition: { by: 'from_at', range: 'instant' } },
  ),
  table(
    'firing_hour',
    { hour_at: 'big', series_id: 'big', fired: 'int', first_due_at: 'big', last_due_at: 'big', first_id: 'big', last_id: 'big' },
    ['hour_at', 'series_id'],
    { partition: { by: 'hour_at', range: 'instant' } },
  ),

  table(
    'open_instance',
    { ...runFacts, phase: 'int', lane: 'big', rank_at: 'big', on_end: 'int', wait_code: 'int?', wait_facts: 'text?', progress: 'text?', pinned_executor_id: 'big?' },
    ['id'],
    { indexes: [['phase', 'lane', 'rank_at', 'slot']] },
  ),
  table(
    'instance',
    { ...runFacts, outcome: 'int', ended_at: 'big', result: 'text?', error_code: 'name?', error: 'text?' },
    ['id'],
    { indexes: [['task_id', 'id'], ['group_id', 'outcome', 'id']], partition: { by: 'id', range: 'id' } },
  ),
  table(
    'attempt',
    {
      instance_id: 'big', attempt: 'int', late: 'int', executor_id: 'big?', boot_id: 'big?', sent_at: 'big?', accepted_at: 'big?', started_at: 'big?', ended_at: 'big', outcome: 'int',
      error_code: 'name?', error: 'text?',
    },
    ['instance_id', 'attempt', 'late'],
    { partition: { by: 'instance_id', range: 'id' } },
  ),
  table('payload', { instance_id: 'big', kind: 'int', body: 'long' }, ['instance_id', 'kind'], { partition: { by: 'instance_id', range: 'id' } }),
  table('retry_link', { instance_id: 'big', retry_id: 'big' }, ['instance_id']),
  table('signal', { id: 'big', slot: 'int', kind: 'int', target_id: 'big', instance_id: 'big', outcome: 'int', at: 'big', facts: 'text' }, ['id'], { indexes: [['slot', 'id']] }),

  table(
    'executor',
    {
      id: 'big', group_id: 'big', name: 'name', boot_id: 'big', recovered_boot: 'big', registered_at: 'big', state: 'int', draining: 'int', transport: 'name', version: 'name', host: 'name',
      pid: 'int', capacity: 'int', labels: 'text', handlers: 'long',
    },
    ['id'],
    { unique: [['group_id', 'name']] },
  ),
  table('executor_beat', { executor_id: 'big', boot_id: 'big', seen_at: 'big', load: 'text?' }, ['executor_id']),

  table('counter', { hour_at: 'big', group_id: 'big', metric: 'int', lane: 'int', n: 'big' }, ['hour_at', 'group_id', 'metric', 'lane']),
  table('request_key', { key_hash: 'name', answer: 'text', at: 'big' }, ['key_hash'], { indexes: [['at']] }),
  table(
    'audit',
    {
      id: 'big', at: 'big', actor_kind: 'name', actor_id: 'big?', actor_name: 'name', ip: 'name', request_id: 'name', action: 'name', resource_kind: 'name', resource_id: 'big?',
      resource_key: 'text', group_id: 'big?', outcome: 'name', code: 'name?', count: 'int', before: 'long?', after: 'long?',
    },
    ['id'],
    { partition: { by: 'id', range: 'id' } },
  ),

  table(
    'user',
    {
      id: 'big', username: 'name', name_key: 'name', display_name: 'name', password_hash: 'name', must_change: 'int', first_password: 'int', disabled: 'int', is_admin: 'int', created_at: 'big',
      password_at: 'big',
    },
    ['id'],
    { unique: [['name_key']] },
  ),
  table(
    'session',
    {
      id: 'name', user_id: 'big', refresh_hash: 'name', previous_hash: 'name?', created_at: 'big', rotated_at: 'big', expires_at: 'big', ended_at: 'big?', limited: 'int', ip: 'name',
    },
    ['id'],
    { indexes: [['refresh_hash'], ['previous_hash'], ['user_id'], ['expires_at']] },
  ),
  table(
    'token',
    { id: 'big', kind: 'name', name: 'name', hash: 'name', group_ids: 'text', created_at: 'big', created_by: 'big?', expires_at: 'big?', last_used_at: 'big?', revoked_at: 'big?' },
    ['id'],
  ),
]
