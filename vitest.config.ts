import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// The packages are run from their sources, so that a test never sees yesterday's build.
const fromSources = ['development', 'module', 'node', 'default']
const ofNode = { ssr: { resolve: { conditions: fromSources } }, resolve: { conditions: fromSources } }

// What kills and freezes processes mostly waits for them to be missed: two files at a time.
const killing = [
  'tests/{kill,workflow-kill,calendar-kill,stopping,restart}.test.ts',
  'tests/cluster/*.test.ts',
  'tests/sim/{simulation,plants}.test.ts',
  'tests/torture/short.test.ts',
]
// What measures memory or floods has the machine to itself: one file after the other, when all else is done.
const alone = ['executor/src/memory.test.ts', 'tests/{hostile,live-reader}.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        ...ofNode,
        test: {
          name: 'unit',
          include: ['{core,contract,executor,server,cli}/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: [...alone, 'server/src/cluster/redis/**', '**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // What nodes share, on a private Redis.
        ...ofNode,
        test: {
          name: 'redis',
          include: ['server/src/cluster/redis/*.test.ts', 'tests/redis/*.test.ts'],
          globalSetup: ['tests/kit/redis.setup.ts'],
          setupFiles: ['tests/kit/redis.each.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // The store and what stands on it once more, on a private MariaDB.
        ...ofNode,
        test: {
          name: 'mysql',
          include: [
            'server/src/store/**/*.test.ts',
            'server/src/secret/*.test.ts',
            'server/src/engine/{engine,backfill,bulk,limits,pruner,ledger.property,reckoner,shards,map,workflows,workflow-steps}.test.ts',
            'server/src/notify/sender.test.ts',
            'tests/mysql/*.test.ts',
          ],
          exclude: [
            'server/src/store/dialect/{sqlite-file,mysql-schema,mysql-statements}.test.ts',
            'server/src/store/init-sql.test.ts',
            '**/node_modules/**',
          ],
          env: { TICKWHEEL_TEST_STORE: 'mysql', LEDGER_SEEDS: '3' },
          globalSetup: ['tests/kit/mariadb.setup.ts'],
          setupFiles: ['tests/kit/mariadb.each.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        ...ofNode,
        test: {
          name: 'system',
          include: ['tests/**/*.test.ts'],
          exclude: [...alone, ...killing, 'tests/mysql/**', 'tests/redis/**', '**/node_modules/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
          // each has processes of its own: a server, executors, a browser
          maxWorkers: availableParallelism() < 4 ? 2 : 3,
        },
      },
      {
        ...ofNode,
        test: {
          name: 'killing',
          include: killing,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 4 },
          maxWorkers: 2,
        },
      },
      {
        ...ofNode,
        test: {
          name: 'alone',
          include: alone,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 5 },
          maxWorkers: 1,
          fileParallelism: false,
        },
      },
      './web/vitest.config.ts',
    ],
    coverage: {
      provider: 'v8',
      include: ['{core,contract,executor,server,cli}/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.fixture.ts'],
    },
  },
})
