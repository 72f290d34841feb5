import { AppError, workflowToYaml, type WorkflowDefinition, type WorkflowDocument } from '@tickwheel/contract'
import { Streamed } from './handlers.ts'

/** A workflow as a document that can be sent back: without what only the server knows, its group by name. */
export function sendsYaml(
  workflow: WorkflowDefinition & { readonly groupName: string; readonly version: number; readonly enabled?: boolean },
): Streamed {
  const { groupName, name, description, owner, tags, schedule, overlap, misfire, timeoutMs, priority } = workflow
  const { pauseAfterFailures, paramsSchema, steps, edges, stepConcurrency, onFailure, outputs, layout, enabled, version } = workflow
  const document: WorkflowDocument = {
    group: groupName,
    name,
    description,
    owner,
    tags,
    schedule,
    overlap,
    misfire,
    timeoutMs,
    priority,
    pauseAfterFailures,
    ...(paramsSchema === undefined ? {} : { paramsSchema }),
    steps,
    edges,
    stepConcurrency,
    onFailure,
    ...(outputs === undefined ? {} : { outputs }),
    ...(layout === undefined ? {} : { layout }),
    ...(enabled === undefined ? {} : { enabled }),
    version,
  }
  return new Streamed('application/yaml; charset=utf-8', workflowToYaml(document))
}

/** The body of a call from its YAML form: the group by its id. `findGroup` answers null for a group that is not there for the caller. */
export async function bodyOfDocument(
  value: unknown,
  { takesVersion, findGroup }: { takesVersion: boolean; findGroup: (name: string) => Promise<number | null> },
): Promise<unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { group, version, ...rest }: Record<string, unknown> = { ...value }
  const body = takesVersion && version !== undefined ? { ...rest, version } : rest
  if ('groupId' in rest) throw badGroup('groupId', 'UNKNOWN_FIELD', 'is not a field of the YAML form: write `group: NAME`')
  if (typeof group !== 'string' || group === '') throw badGroup('group', 'REQUIRED', 'is required: the name of the group')
  const groupId = await findGroup(group)
  if (groupId !== null) return { ...body, groupId }
  const message = `there is no group "${group}"`
  throw new AppError('UNPROCESSABLE', `group: ${message}`, {
    errors: [{ path: 'group', code: 'UNKNOWN_REFERENCE', message, params: { value: group } }],
  })
}

function badGroup(path: string, code: string, message: string): AppError {
  return new AppError('VALIDATION_FAILED', `${path} ${message}.`, { errors: [{ path, code, message }] })
}
