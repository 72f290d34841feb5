import type { ClusterNode, RedisState } from '../../api/cluster.ts'
import { t } from '../../locales/text.ts'
import { formatDuration } from '../../utils/duration.ts'
import type { SlotCell } from './slot-cells.ts'

/** Whose the slot is: a name, a name with "silent", or that it is nobody's. */
export function ownerWords(cell: SlotCell): string {
  if (cell.ownerId === null) return t('system.slots.free')
  const name = nameOf(cell.owner, cell.ownerId)
  return cell.state === 'orphaned' ? t('system.slots.orphaned', { name }) : name
}

/** Who holds the lease in Redis; where there is none, why. */
export function leaseWords({ lease }: SlotCell, redis: RedisState): string {
  if (lease === null) return t(`system.slots.noLeaseWhy.${redis}`)
  const name = nameOf(lease.holder, lease.holderId)
  return lease.isOther ? t('system.slots.otherHolder', { name }) : name
}

/** How long the lease still lasts, as of the answer. */
export function remainingWords({ lease }: SlotCell): string {
  return lease === null ? '–' : formatDuration(lease.remainingMs)
}

function nameOf(node: ClusterNode | null, runId: number): string {
  return node?.name ?? t('system.slots.unknown', { id: runId })
}
