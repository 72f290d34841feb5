import { defineConfig } from 'vitest/config'

export default defineConfig({
  ssr: { resolve: { conditions: ['development', 'module', 'node', 'default'] } },
  resolve: { conditions: ['development', 'module', 'node', 'default'] },
  test: { include: ['{core,contract,executor,server,cli}/src/**/*.test.ts', 'tests/**/*.test.ts'], testTimeout: 20_000 },
})
