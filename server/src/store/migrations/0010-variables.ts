import { table } from '../dialect/table.ts'

/** `group_id` 0: of all groups. */
const belongs = {
  id: 'big',
  group_id: 'big',
  name: 'name',
  description: 'text',
  version: 'int',
  created_at: 'big',
  updated_at: 'big',
} as const

const variable = table('variable', { ...belongs, value: 'text' }, ['id'], { unique: [['group_id', 'name']] })

/** A value is sealed with a key of its own, and that one with the key of the configuration: another such key means to seal short keys again, and no value. */
const sealed = { sealed: 'long', data_key: 'text', key_id: 'name' } as const

const secret = table('secret', { ...belongs, ...sealed, last_used_at: 'big?' }, ['id'], {
  unique: [['group_id', 'name']],
  indexes: [['key_id']],
})

/** Values that secrets had: a run that was given one may still print it. */
const past = table('secret_past', { id: 'big', secret_id: 'big', group_id: 'big', name: 'name', until_at: 'big', ...sealed }, ['id'], {
  indexes: [['name', 'group_id'], ['until_at'], ['key_id']],
})

/** What the present versions of tasks and workflows refer to. */
const use = table('variable_use', { task_id: 'big', kind: 'int', name: 'name', group_id: 'big' }, ['task_id', 'kind', 'group_id', 'name'], {
  indexes: [['name', 'kind']],
})

export const variables = { tables: [variable, secret, past, use] }
