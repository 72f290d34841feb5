import { defineConfig } from 'vitest/config'

// The packages are run from their sources, so that a test never sees yesterday's build.
const fromSources = ['development', 'module', 'node', 'default']
const ofNode = { ssr: { resolve: { conditions: fromSources } }, resolve: { conditions: fromSources } }

export default defineConfig({
  test: {
    projects: [
      {
        ...ofNode,
        test: {
          name: 'unit',
          include: ['{core,contract,executor,server,cli}/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        // The store and what stands on it once more, on a private MariaDB.
        ...ofNode,
        test: {
          name: 'mysql',
          include: ['server/src/store/**/*.test.ts', 'server/src/engine/{engine,pruner,ledger.property}.test.ts', 'tests/mysql/*.test.ts'],
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
        },
      },
      {
        ...ofNode,
        test: {
          name: 'system',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/mysql/**', '**/node_modules/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
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
