import { randomUUID } from 'node:crypto'
import type { Database } from './database.ts'

const META_KEY = 'store_id'

/**
 * The name of this store among others, made once and kept in it: what nodes share beside the store (Redis) is kept under it, so that two clusters on
 * one Redis never mix. Nodes that start at the same time get the same one.
 */
export async function storeId(db: Database): Promise<string> {
  return db.write('rest', async (tx) => {
    await tx.insertNew('meta', [{ key: META_KEY, value: randomUUID() }])
    const [row] = await tx.all<{ value: string }>('SELECT value FROM meta WHERE `key` = ?', [META_KEY])
    if (row === undefined) throw new Error('the store has no id although one was just written')
    return row.value
  })
}
