import { BULK_KINDS, BULK_RUN_ACTIONS, BULK_SCHEDULE_ACTIONS, BULK_STATES, type Bulk } from '@tickwheel/contract'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Caller } from './caller.ts'
import { parseJson } from './definition.ts'
import type { BulkRow } from './schema.ts'

export const BULK_STAGE = { running: 1, done: 2, canceled: 3 } as const satisfies Record<Bulk['state'], number>
/** In the order of lists: what failed is looked at first. */
export const BULK_ITEM = { failed: 1, waiting: 2, done: 3 } as const

/** The codes under which the words of the contract are stored. */
export const KIND_CODES = { task: 1, workflow: 2, instance: 3 } as const satisfies Record<Bulk['kind'], number>
export const ACTION_CODES = { start: 1, stop: 2, trigger: 3, delete: 4, cancel: 5, retry: 6 } as const satisfies Record<
  Bulk['action'],
  number
>

export function kindOfBulk({ id, kind }: Pick<BulkRow, 'id' | 'kind'>): Bulk['kind'] {
  return BULK_KINDS.find((word) => KIND_CODES[word] === kind) ?? unknown(id, 'kind', kind)
}

export function actionOfBulk({ id, action }: Pick<BulkRow, 'id' | 'action'>): Bulk['action'] {
  return [...BULK_SCHEDULE_ACTIONS, ...BULK_RUN_ACTIONS].find((word) => ACTION_CODES[word] === action) ?? unknown(id, 'action', action)
}

export function stateOfBulk({ id, stage }: Pick<BulkRow, 'id' | 'stage'>): Bulk['state'] {
  return BULK_STATES.find((word) => BULK_STAGE[word] === stage) ?? unknown(id, 'stage', stage)
}

function unknown(id: number, what: string, code: number): never {
  throw new Error(`bulk operation ${id} has the unknown ${what} ${code}`)
}

const callerCheck = Compile(
  Type.Object({
    actor: Type.Object({
      kind: Type.Enum(['user', 'token', 'executor', 'system']),
      id: Type.Union([Type.Number(), Type.Null()]),
      name: Type.String(),
    }),
    ownerId: Type.Optional(Type.Number()),
    ip: Type.String(),
    requestId: Type.String(),
  }),
)

/** Who has asked for it, and from where: what its items are audited as. */
export function callerOfBulk({ id, caller }: Pick<BulkRow, 'id' | 'caller'>): Caller {
  const value = parseJson(caller)
  if (callerCheck.Check(value)) return value
  throw new Error(`bulk operation ${id} does not say who has asked for it`)
}
