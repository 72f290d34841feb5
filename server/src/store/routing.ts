import type { FieldProblem, TaskDefinition } from '@tickwheel/contract'
import { parseRoutingKey } from '@tickwheel/core'

const LABEL_NAME = 64

/** What is wrong with where a task wants to run. */
export function routingProblems(definition: TaskDefinition): FieldProblem[] {
  return [...labelProblems(definition), ...keyProblems(definition)]
}

export function labelProblems({ labels }: Pick<TaskDefinition, 'labels'>): FieldProblem[] {
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
