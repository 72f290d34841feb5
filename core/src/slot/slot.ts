import { hashInteger } from './hash.ts'

/** Tasks, workflows, series, groups, alarm rules, bulk operations and calendars are spread over this many slots, and live nodes own slots. Fixed for ever: slots are stored on rows. */
export const SLOT_COUNT = 256

const SEEDS = { task: 1, workflow: 2, series: 3, group: 4, alarm: 5, bulk: 6, calendar: 7 } as const

export type SlotKind = keyof typeof SEEDS

/** The slot of a thing, 0 to 255. The same for ever, on every node and in every version, because it is stored on the row. */
export function slotOf(kind: SlotKind, id: number): number {
  return hashInteger(id, SEEDS[kind]) % SLOT_COUNT
}
