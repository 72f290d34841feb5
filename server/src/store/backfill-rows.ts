import { BACKFILL_ONLY, BACKFILL_ORDERS, type Backfill } from '@tickwheel/contract'
import type { ShardCounts } from '@tickwheel/core'
import { parseJson } from './definition.ts'
import type { ReadTx } from './database.ts'
import type { BackfillRow } from './schema.ts'

/** `canceling`: no more runs are made, and those that are open are still to be canceled. */
export const BACKFILL_STAGE = { running: 1, canceling: 2, done: 3, canceled: 4 } as const
/** How many instants a part of a plan has, at most. */
export const PLAN_PART = 1000

export function stateOfStage(stage: number): Backfill['state'] {
  switch (stage) {
    case BACKFILL_STAGE.running:
      return 'running'
    case BACKFILL_STAGE.done:
      return 'done'
    default:
      return 'canceled'
  }
}

/** How many runs of a backfill have ended how, as far as their ends were applied. */
export function endedOf({ ended }: Pick<BackfillRow, 'ended'>): ShardCounts {
  const value = parseJson(ended)
  return typeof value === 'object' && value !== null ? value : {}
}

/** The codes under which the words of the contract are stored. */
export const ONLY_CODES = { missing: 1, failed: 2, all: 3 } as const
export const ORDER_CODES = { oldestFirst: 1, newestFirst: 2 } as const

export function onlyOf({ only_code: code }: Pick<BackfillRow, 'only_code'>): (typeof BACKFILL_ONLY)[number] {
  return BACKFILL_ONLY.find((word) => ONLY_CODES[word] === code) ?? 'missing'
}

export function orderOf({ direction }: Pick<BackfillRow, 'direction'>): (typeof BACKFILL_ORDERS)[number] {
  return BACKFILL_ORDERS.find((word) => ORDER_CODES[word] === direction) ?? 'oldestFirst'
}

/** The part of a plan in which a position lies. */
export async function readPlanPart(tx: ReadTx, backfillId: number, position: number): Promise<readonly number[]> {
  const part = Math.floor(position / PLAN_PART)
  const [row] = await tx.all<{ due: string }>('SELECT due FROM backfill_plan WHERE backfill_id = ? AND part = ?', [backfillId, part])
  const due = row === undefined ? null : parseJson(row.due)
  if (Array.isArray(due) && due.every((at): at is number => Number.isSafeInteger(at))) return due
  throw new Error(`part ${part} of the plan of backfill ${backfillId} is missing or damaged in the store`)
}
