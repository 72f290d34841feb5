import type { Group } from '@tickwheel/contract'
import { listGroups } from './groups.ts'

const PAGE_SIZE = 200

/** Every group that this user sees, for choosing one; there are few of them. */
export async function allGroups(): Promise<Group[]> {
  const groups: Group[] = []
  for (let page = 1; ; page += 1) {
    const answer = await listGroups({ page, pageSize: PAGE_SIZE })
    groups.push(...answer.items)
    if (answer.items.length < PAGE_SIZE) return groups
  }
}
