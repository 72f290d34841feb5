import { compileExpression, validate, type Graph } from '@tickwheel/core'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readWorkflowYaml } from './workflow-yaml.ts'

describe.each(['en', 'zh'])('the guide on workflows (%s)', (language) => {
  const text = readFileSync(join(import.meta.dirname, `../../docs/guide/${language}/workflows.md`), 'utf8')

  it('has examples that can be saved', () => {
    const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block)
    expect(blocks.length).toBeGreaterThan(0)
    for (const block of blocks) {
      const found = readWorkflowYaml(block)
      if (found.kind === 'problems') throw new Error(JSON.stringify(found.problems))
      expect(validate(found.document as unknown as Graph)).toEqual([])
    }
  })

  it('has expressions that are valid, in its table of what to write', () => {
    const table = text.split('\n').filter((line) => /^\| [^|`]+ \| `=?[^`]*` \|$/.test(line) && /steps\.|run\./.test(line))
    expect(table.length).toBeGreaterThanOrEqual(5)
    for (const line of table) {
      const expression = (line.split('`')[1] ?? '').replace(/^=/, '')
      const found = compileExpression(expression)
      expect([expression, found.kind === 'invalid' ? found.problem.message : null]).toEqual([expression, null])
    }
  })
})
