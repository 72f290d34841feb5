import { SLOT_COUNT } from '@tickwheel/core'
import { listOfNumbers, type SqlList } from './list.ts'

/**
 * A condition on `slot`, to follow another one; nothing where all slots are meant, as on a node that is alone: a list of all of them costs more than the
 * rest. Of at least one slot, and to be made before a transaction is waited for: the slots that a node owns change meanwhile.
 */
export function inSlots(slots: ReadonlySet<number>): SqlList {
  if (slots.size === SLOT_COUNT) return { sql: '', params: [] }
  const list = listOfNumbers([...slots].sort((a, b) => a - b))
  return { sql: ` AND slot IN ${list.sql}`, params: list.params }
}
