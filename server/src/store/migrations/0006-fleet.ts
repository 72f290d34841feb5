import { columns, table } from '../dialect/table.ts'

/** What XXL-JOB executors of a group must send, and are sent: null: what all send; empty: nothing; else a token of the group's own, sealed with the installation's secret. */
const groupToken = columns('task_group', { xxl_token: 'text?' })

/** XXL-JOB executors that registered under an app name that no group has. Any node writes, and any answers who they are. */
const unclaimed = table('unclaimed_executor', { app_name: 'name', address: 'name', seen_at: 'big' }, ['app_name', 'address'])

export const fleet = { columns: [groupToken], tables: [unclaimed] }
