import { BULK_PERMISSIONS, type Bulk } from '@tickwheel/contract'
import type { Permission } from '@tickwheel/core'

export type BulkKind = Bulk['kind']
export type BulkAction = Bulk['action']

/** What can be done to many things of a kind, in the order of its buttons, with what it needs. */
const ACTIONS: Readonly<Record<BulkKind, readonly (readonly [BulkAction, Permission])[]>> = {
  task: [['start', BULK_PERMISSIONS.task.start], ['stop', BULK_PERMISSIONS.task.stop], ['trigger', BULK_PERMISSIONS.task.trigger], ['delete', BULK_PERMISSIONS.task.delete]],
  workflow: [['start', BULK_PERMISSIONS.workflow.start], ['stop', BULK_PERMISSIONS.workflow.stop], ['trigger', BULK_PERMISSIONS.workflow.trigger], ['delete', BULK_PERMISSIONS.workflow.delete]],
  instance: [['cancel', BULK_PERMISSIONS.instance.cancel], ['retry', BULK_PERMISSIONS.instance.retry]],
}

/** What somebody may do to many things of a kind, in some group at least. None: they choose nothing. */
export function bulkActions(kind: BulkKind, may: (permission: Permission) => boolean): BulkAction[] {
  return ACTIONS[kind].filter(([, permission]) => may(permission)).map(([action]) => action)
}

/** A document holds what only parameters tell. */
const EXPORT_NEEDS: readonly Permission[] = ['group:view', 'task:view', 'task:viewParams', 'workflow:view', 'workflow:viewParams']

export function mayExport(may: (permission: Permission) => boolean): boolean {
  return EXPORT_NEEDS.every((permission) => may(permission))
}

/** It takes something away. */
export function isDestructive(action: BulkAction): boolean {
  return action === 'delete' || action === 'cancel'
}

/** It may cancel what runs, too. */
export function mayCancelRuns(action: BulkAction): boolean {
  return action === 'stop' || action === 'delete'
}
