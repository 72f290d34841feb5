import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cyclesIn, violationsIn } from './architecture/rules.ts'
import { parseSourceFile, readSourceFiles } from './architecture/source-file.ts'

const root = join(import.meta.dirname, '..')

describe('the import directions of ARCHITECTURE.md', () => {
  it('hold in every file of every package', () => {
    const files = readSourceFiles(root)
    expect(files.length).toBeGreaterThan(0)
    expect(violationsIn(files)).toEqual([])
  })
})

describe('the checker itself', () => {
  const planted: readonly [why: string, path: string, text: string][] = [
    ['core has no library', 'core/src/wheel/x.ts', `import { z } from 'zod'`],
    ['core has no host', 'core/src/wheel/x.ts', `import { readFileSync } from 'node:fs'`],
    ['only expressions know their library', 'core/src/workflow/advance.ts', `import { parse } from '@marcbachmann/cel-js'`],
    ['expressions know no other library', 'core/src/workflow/expression.ts', `import { z } from 'zod'`],
    ['core knows no wire', 'core/src/wheel/x.ts', `import type { TaskBody } from '@tickwheel/contract'`],
    ['contract knows no server', 'contract/src/tasks.ts', `import { x } from '@tickwheel/server'`],
    ['the console knows no server', 'web/src/api/client.ts', `import { x } from '@tickwheel/server'`],
    [
      'the console knows no executor, not even when it is loaded late',
      'web/src/views/a.vue',
      `<script setup lang="ts">\nconst x = await import('@tickwheel/executor')\n</script>`,
    ],
    ['the executor knows no server', 'executor/src/pool.ts', `export { x } from '@tickwheel/server'`],
    ['the server knows no executor', 'server/src/app.ts', `import { x } from '@tickwheel/executor'`],
    ['nobody imports the program', 'server/src/app.ts', `import { x } from 'tickwheel'`],
    ['packages are imported by name', 'server/src/app.ts', `import { x } from '../../core/src/index.ts'`],
    ['the engine knows no edge', 'server/src/engine/firer.ts', `import { x } from '../http/routes/tasks.ts'`],
    ['the engine knows no adapter of a port', 'server/src/engine/firer.ts', `import { x } from '../link/stream/session.ts'`],
    ['the engine knows no library', 'server/src/engine/firer.ts', `import Fastify from 'fastify'`],
    ['the engine knows no composition root', 'server/src/engine/firer.ts', `import { x } from '../app.ts'`],
    ['the store knows no engine', 'server/src/store/tasks.ts', `import { x } from '../engine/firer.ts'`],
    ['the store alone has the library', 'server/src/http/routes/tasks.ts', `import { sql } from 'kysely'`],
    ['the store alone has the words', 'server/src/http/routes/tasks.ts', 'const text = `SELECT id FROM task WHERE id = ${id}`'],
    ['an edge knows no other edge', 'server/src/http/routes/tasks.ts', `import { x } from '../../live/hub.ts'`],
    ['what sends alarms knows no other edge', 'server/src/notify/sender.ts', `import { x } from '../http/server.ts'`],
    ['the engine does not send', 'server/src/engine/firer.ts', `import { x } from '../notify/postman.ts'`],
    ['an adapter knows no other adapter', 'server/src/link/xxl/a.ts', `import { x } from '../stream/session.ts'`],
    ['only app.ts chooses', 'server/src/auth/tokens.ts', `import { x } from '../http/server.ts'`],
    ['no index.ts in a folder', 'core/src/wheel/index.ts', ``],
  ]

  it.each(planted)('finds a planted violation: %s', (_why, path, text) => {
    expect(violationsIn([parseSourceFile(path, text)])).not.toEqual([])
  })

  const allowed: readonly [path: string, text: string][] = [
    ['core/src/index.ts', `export * from './wheel/timing-wheel.ts'`],
    ['core/src/workflow/expression.ts', `import { Environment } from '@marcbachmann/cel-js'`],
    ['contract/src/tasks.ts', `import { Type } from 'typebox'\nimport { x } from '@tickwheel/core'`],
    [
      'server/src/engine/firer.ts',
      `import { x } from '../store/firings.ts'\nimport type { Link } from '../link/link.ts'\nimport { y } from '@tickwheel/core'`,
    ],
    ['server/src/app.ts', `import { x } from './http/server.ts'\nimport { y } from './link/stream/server.ts'`],
    ['server/src/link/stream/session.ts', `import type { Link } from '../link.ts'\nimport { WebSocket } from 'ws'`],
    ['server/src/store/tasks.ts', `import { sql } from 'kysely'\nconst text = 'select id from task'`],
    ['server/src/http/routes/tasks.ts', `const text = 'Select a task from the list'`],
    ['cli/src/main.ts', `import { x } from '@tickwheel/server'\nimport { y } from '@tickwheel/executor'`],
  ]

  it.each(allowed)('lets %s be', (path, text) => {
    expect(violationsIn([parseSourceFile(path, text)])).toEqual([])
  })

  it('finds a cycle, and makes none of imports of types and of late ones', () => {
    const pair = (back: string) => [parseSourceFile('core/src/a.ts', `import { b } from './b.ts'`), parseSourceFile('core/src/b.ts', back)]
    expect(cyclesIn(pair(`import { a } from './a.ts'`))).toEqual(['import cycle: core/src/a.ts → core/src/b.ts → core/src/a.ts'])
    expect(cyclesIn(pair(`import { type A } from './a.ts'`))).toEqual([])
    expect(cyclesIn(pair(`const a = () => import('./a.ts')`))).toEqual([])
  })
})
