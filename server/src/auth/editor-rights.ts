import { visibleScope } from '@tickwheel/core'
import type { Database } from '../store/database.ts'
import type { RunRights } from '../store/run-rights.ts'
import { readUser } from '../store/users.ts'
import { grantsOf } from './grants.ts'

/** What the last editor of a workflow may run now: nothing once the account is gone or disabled. */
export async function editorRights(db: Database, userId: number): Promise<RunRights> {
  const user = await db.read((tx) => readUser(tx, userId))
  const grants = user === null || user.disabled === 1 ? [] : grantsOf({ userId, isAdmin: user.is_admin === 1 })
  return {
    tasks: visibleScope(grants, 'task:run'),
    workflows: visibleScope(grants, 'workflow:run'),
    secrets: visibleScope(grants, 'secret:view'),
  }
}
