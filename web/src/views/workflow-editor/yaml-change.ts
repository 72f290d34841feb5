/** What differs between two definitions, line by line of their YAML. Where steps are drawn is no difference. */
import type { WorkflowDefinition } from '@tickwheel/contract'
import { lineChanges, type FieldChange } from '../../components/versions/diff.ts'
import { yamlOf } from './definition-yaml.ts'

export function yamlChange(then: WorkflowDefinition, now: WorkflowDefinition): FieldChange | null {
  const [old, fresh] = [yamlOf(then, ''), yamlOf(now, '')]
  return old === fresh ? null : { path: 'YAML', then: old, now: fresh, lines: lineChanges(old, fresh) }
}
