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
      { ...ofNode, test: { name: 'system', include: ['tests/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
      './web/vitest.config.ts',
    ],
    coverage: {
      provider: 'v8',
      include: ['{core,contract,executor,server,cli}/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.fixture.ts'],
    },
  },
})
