import { visibleScope } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import type { RunRights } from '../store/run-rights.ts'
import { readUserFacts } from '../store/users.ts'
import { grantsOf } from './grants.ts'

/** What the last editor of a workflow may run now: nothing once the account is gone or disabled. */
export async function editorRights(db: Database, userId: number): Promise<RunRights> {
  const user = await db.read((tx) => readUserFacts(tx, userId))
  const grants = user === null || user.disabled ? [] : grantsOf(user)
  return { tasks: visibleScope(grants, 'task:run'), workflows: visibleScope(grants, 'workflow:run') }
}
