import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

/** Starts what the test files share; absent only before there is anything to start. */
const globalSetup = join(import.meta.dirname, 'core/src/testing/global-setup.ts')

export default defineConfig(({ mode }) => {
  if (mode === 'postgres' && !process.env['TEST_DATABASE_URL']) {
    throw new Error('Set TEST_DATABASE_URL, e.g. postgres://postgres@127.0.0.1:5432/postgres, to test on PostgreSQL.')
  }
  return {
    ssr: { resolve: { conditions: ['socle-source', ...defaultServerConditions] } },
    test: {
      include: ['{core,sdk,ui-shell}/test/**/*.test.ts', '{plugins,examples}/*/test/**/*.test.ts'],
      globalSetup: existsSync(globalSetup) ? [globalSetup] : [],
      pool: 'forks',
      maxWorkers: 2,
      execArgv: ['--conditions=socle-source'],
      // A net for tests that hang, no measure of speed: a shared machine may be ten times slower than a quiet one.
      testTimeout: 90_000,
      hookTimeout: 120_000,
      teardownTimeout: 20_000,
      slowTestThreshold: 2_000,
    },
  }
})
