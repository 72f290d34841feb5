import { columns, table } from '../dialect/table.ts'

/** Roles that people have made. `permissions` is a JSON list of names; the built-in roles have no row. */
const roles = table(
  'access_role',
  {
    id: 'big',
    name: 'name',
    name_key: 'name',
    description: 'text',
    permissions: 'text',
    version: 'int',
    created_at: 'big',
    updated_at: 'big',
  },
  ['id'],
  { unique: [['name_key']] },
)

/**
 * What users and API tokens are given: `role_key` is the name of a built-in role, or `#` and the id of another; `group_ids` is a JSON list, null: all
 * groups. `no` keeps the order.
 */
const bindings = table(
  'access_binding',
  { holder_kind: 'name', holder_id: 'big', no: 'int', role_key: 'name', group_ids: 'text?' },
  ['holder_kind', 'holder_id', 'no'],
  { indexes: [['role_key', 'holder_kind']] },
)

const users = columns('user', { version: 'int?', last_login_at: 'big?' })

/** Of API tokens: budgets of their own (JSON), and the addresses from which they were used last (JSON). */
const tokens = columns('token', { rate_limit: 'text?', addresses: 'text?' })

/** Who was an administrator is one by a binding now. The column stays for programs that know nothing else, and is kept in step. Harmless when repeated. */
const administrators = `INSERT INTO access_binding (holder_kind, holder_id, no, role_key, group_ids)
  SELECT 'user', id, 0, 'admin', NULL FROM user
  WHERE is_admin = 1 AND id NOT IN (SELECT holder_id FROM access_binding WHERE holder_kind = 'user')`

export const access = { tables: [roles, bindings], columns: [users, tokens], fill: [administrators] }
