import { DuplicateKey, type Locks, type Tx } from './database.ts'
import { listOfNumbers, partsOf } from './list.ts'

/** Locks rows of one table by id, in order, where transactions run beside each other; on SQLite the whole store is locked already. */
export async function lockRows(tx: Tx, table: 'task' | 'series', ids: readonly number[], how: keyof Locks): Promise<void> {
  if (tx.locks[how] === '') return
  for (const part of partsOf(
    [...new Set(ids)].sort((a, b) => a - b),
    1000,
  )) {
    const list = listOfNumbers(part)
    await tx.all(`SELECT id FROM ${table} WHERE id IN ${list.sql} ORDER BY id${tx.locks[how]}`, list.params)
  }
}

/** Two writers that insert one key at the same instant: the loser looks again, and finds what the other wrote. */
export async function againWhenTaken<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof DuplicateKey)) throw error
    return write()
  }
}
