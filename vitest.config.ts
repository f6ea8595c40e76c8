import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/compile-cache-setup.ts', 'test/support/postgres-setup.ts'],
    typecheck: { enabled: false },
    // Most tests wait for processes: two at a time keep two cores busy, where the default on them is one.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
