import { describe, expect, it } from 'vitest'
import { allRows, chosenOf, EXPORT_MAX } from './export-chosen.ts'

const of = (group: string, name: string) => ({ group, name, schedule: { kind: 'manual' as const }, handler: { kind: 'named' as const, name: 'x' } })

describe('an export of chosen ones', () => {
  it('has them and their groups, and nothing else of these groups', () => {
    const document = { tickwheel: 1 as const, groups: [{ name: 'a', appName: 'aa' }], tasks: [of('a', 'one'), of('a', 'two'), of('b', 'one')], workflows: [] }
    expect(chosenOf(document, 'task', [{ groupName: 'a', name: 'one' }])).toEqual({ ...document, tasks: [of('a', 'one')] })
    expect(chosenOf(document, 'workflow', [{ groupName: 'a', name: 'one' }]).tasks).toEqual([])
  })

  it('reads a list page by page, and ends', async () => {
    const asked: number[] = []
    const list = (total: number) => async ({ page, pageSize }: { page: number; pageSize: number }) => {
      asked.push(page)
      const items = Array.from({ length: Math.max(0, Math.min(pageSize, total - (page - 1) * pageSize)) }, (_, n) => ({ groupName: 'a', name: String((page - 1) * pageSize + n) }))
      return { items, total, page, pageSize }
    }
    expect(await allRows(list(450))).toHaveLength(450)
    expect(asked).toEqual([1, 2, 3])
    expect(await allRows(list(5000))).toHaveLength(EXPORT_MAX)
  })
})
