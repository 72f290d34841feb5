import type { ReadTx } from './database.ts'
import { parseJson } from './definition.ts'
import type { RunFacts } from './schema.ts'

export interface StepName {
  readonly key: string
  /** what people call it; its key where it has no name */
  readonly name: string
}

type Columns = Pick<RunFacts, 'workflow_id' | 'workflow_version' | 'step_no'>

/** What the steps are called that runs are done for. Each version is read once. */
export async function stepNames(tx: ReadTx, rows: readonly Columns[]): Promise<(row: Columns) => StepName | null> {
  const steps = new Map<string, readonly unknown[]>()
  for (const { workflow_id: id, workflow_version: version } of rows) {
    if (id === null || version === null || steps.has(`${id}:${version}`)) continue
    const [row] = await tx.all<{ definition: string }>('SELECT definition FROM task_version WHERE task_id = ? AND version = ?', [
      id,
      version,
    ])
    steps.set(`${id}:${version}`, row === undefined ? [] : stepsIn(row.definition))
  }
  return ({ workflow_id: id, workflow_version: version, step_no: no }) => (no === null ? null : nameOf(steps.get(`${id}:${version}`)?.[no]))
}

/** Only the names are looked at, so the definition is not checked as a whole. */
function stepsIn(text: string): readonly unknown[] {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || !('definition' in value)) return []
  const { definition } = value
  if (typeof definition !== 'object' || definition === null || !('steps' in definition)) return []
  return Array.isArray(definition.steps) ? definition.steps : []
}

function nameOf(step: unknown): StepName | null {
  if (typeof step !== 'object' || step === null || !('key' in step) || typeof step.key !== 'string') return null
  return { key: step.key, name: 'name' in step && typeof step.name === 'string' && step.name !== '' ? step.name : step.key }
}
