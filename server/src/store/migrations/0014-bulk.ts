import { table } from '../dialect/table.ts'

/**
 * A bulk operation: one action for many things. `stage`: `BULK_STAGE`. `owner_id`: the account that answers for it. `caller`: JSON, who asked and from where.
 * `filter`: JSON as it was asked; null: ids were given. `done` and `failed`: how many of `total` items.
 */
const bulk = table(
  'bulk',
  {
    id: 'big',
    slot: 'int',
    stage: 'int',
    kind: 'int',
    action: 'int',
    cancel_running: 'int',
    owner_id: 'big',
    caller: 'text',
    filter: 'text?',
    total: 'int',
    done: 'int',
    failed: 'int',
    created_at: 'big',
    ended_at: 'big?',
  },
  ['id'],
  { indexes: [['stage', 'slot'], ['owner_id']] },
)

/**
 * One thing of a bulk operation, settled when it was accepted. `state`: `BULK_ITEM`, those that failed first. `group_id` 0: it was not to be seen. `problem`:
 * JSON, why it failed, or why it could not be done yet.
 */
const bulkItem = table(
  'bulk_item',
  {
    bulk_id: 'big',
    place: 'int',
    target_id: 'big',
    group_id: 'big',
    name: 'name',
    state: 'int',
    run_id: 'big?',
    problem: 'text?',
  },
  ['bulk_id', 'place'],
  { indexes: [['bulk_id', 'state', 'place']] },
)

export const bulks = { tables: [bulk, bulkItem] }
