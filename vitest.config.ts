import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/postgres-setup.ts'],
    typecheck: { enabled: false },
    // Most tests wait for processes: three files at a time keep two cores busy, where the default on them is one.
    maxWorkers: 3,
    // Files share a worker's modules, which keep no state: loading them anew for each took as long as most tests.
    isolate: false,
    // What node compiles is kept for the processes that tests start: hundreds of them load the same modules.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)) },
    // Only against what hangs: on a busy machine a test of ten seconds has taken thirty.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
