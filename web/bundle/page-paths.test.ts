import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { router } from '../src/router/router.ts'
import { pathsOf } from './page-paths.ts'

const paths = pathsOf(readFileSync(join(import.meta.dirname, '../src/router/router.ts'), 'utf8'))
const pageAt = (path: string) => paths.find(({ pattern }) => new RegExp(pattern).test(path))?.module

describe('the paths whose files are fetched ahead', () => {
  it('lead to the pages to which the router leads', () => {
    const wrong = router.getRoutes().flatMap(({ path, name }) => {
      const address = path.replace(/:\w+\(\\d\+\)/g, '7')
      if (typeof name !== 'string' || address.includes(':')) return []
      const loader = router.resolve(address).matched.at(-1)?.components?.['default']
      const source = String(loader)
      return source.includes((pageAt(address) ?? 'no page').split('/').at(-1) ?? '') ? [] : [`${address}: ${pageAt(address) ?? 'none'}`]
    })
    expect(wrong).toEqual([])
  })

  it('begin with the start page', () => {
    const start = router.getRoutes().find(({ path, redirect }) => path === '/' && typeof redirect === 'string')?.redirect
    expect([pageAt('/'), pageAt('/task/5'), pageAt('/task/new'), pageAt('/runs/5')]).toEqual([pageAt(String(start)), 'views/task/task-page.vue', 'views/editor/editor-page.vue', 'views/run/run-page.vue'])
  })
})
