import { TASK_DEFAULTS, type FieldProblem, type TaskDefinition } from '@tickwheel/contract'
import { parseRoutingKey } from '@tickwheel/core'
import type { ReadTx } from './database.ts'
import { requireLevel } from './levels.ts'

/** Nodes of this schema level know every strategy, labels and routing keys; older ones take a definition that has them for damaged. */
const KNOWN_SINCE_LEVEL = 4
const KNOWN_BEFORE: ReadonlySet<TaskDefinition['routing']> = new Set(['roundRobin', 'random'] as const)

const LABEL_NAME = 64

/** What is wrong with where a task wants to run. */
export function routingProblems(definition: TaskDefinition): FieldProblem[] {
  return [...labelProblems(definition), ...keyProblems(definition)]
}

function labelProblems({ labels }: TaskDefinition): FieldProblem[] {
  const tooLong = Object.keys(labels).filter((name) => name.length > LABEL_NAME)
  const empty = Object.keys(labels).filter((name) => name.trim() === '')
  return [
    ...tooLong.map((name) => ({
      path: `labels.${name.slice(0, LABEL_NAME)}…`,
      code: 'TOO_LONG',
      message: `the name of a label must have at most ${LABEL_NAME} characters, not ${name.length}`,
      params: { max: LABEL_NAME },
    })),
    ...empty.map(() => ({ path: 'labels', code: 'TOO_SHORT', message: 'the name of a label must not be empty', params: { min: 1 } })),
  ]
}

function keyProblems({ routing, routingKey }: TaskDefinition): FieldProblem[] {
  if (routingKey === '') return []
  if (parseRoutingKey(routingKey) === null)
    return [
      {
        path: 'routingKey',
        code: 'ROUTING_KEY_FORMAT',
        message: `must be a path into the params, like params.customerId or params.items.0.id (letters, digits, _ and -, at most 8 steps), not "${routingKey}"; leave it empty to hash the task`,
        params: { value: routingKey },
      },
    ]
  if (routing === 'consistentHash') return []
  return [
    {
      path: 'routingKey',
      code: 'ROUTING_KEY_WITHOUT_HASH',
      message: `has an effect under the routing consistentHash only, not under ${routing}: choose that, or leave the key empty`,
      params: { routing },
    },
  ]
}

/** 409 `NODE_TOO_OLD` for a definition that a live node of an older release would not keep to. */
export async function requireRoutingKnown(tx: ReadTx, definition: TaskDefinition): Promise<void> {
  if (KNOWN_BEFORE.has(definition.routing) && Object.keys(asStored(definition)).every((field) => !ADDED.has(field))) return
  await requireLevel(tx, KNOWN_SINCE_LEVEL, await tx.now(), {
    what: 'route by this strategy, by labels or by a key',
    remedy: 'save the task with the routing roundRobin or random, without labels and without a routing key',
  })
}

const ADDED: ReadonlySet<string> = new Set(['labels', 'routingKey'])

/** A definition as a version stores it: what says nothing is left out, so that older releases can read it. */
export function asStored({ labels, routingKey, ...rest }: TaskDefinition): object {
  return {
    ...rest,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(routingKey === TASK_DEFAULTS.routingKey ? {} : { routingKey }),
  }
}
