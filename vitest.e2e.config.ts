import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

/** Drives the real server in Chromium: one server for the run, one file and its browser at a time. */
export default defineConfig({
  ssr: { resolve: { conditions: ['socle-source', ...defaultServerConditions] } },
  test: {
    include: ['ui-shell/e2e/**/*.e2e.ts'],
    globalSetup: ['ui-shell/e2e/company.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    execArgv: ['--conditions=socle-source'],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    slowTestThreshold: 10_000,
  },
})
