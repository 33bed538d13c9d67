import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readEnvironment } from '../src/config.ts'
import { serve } from '../src/serve.ts'

test('a process that ends answers what was asked before, and takes nothing more', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'socle-served-'))
  const served = await serve({
    environment: readEnvironment({
      SOCLE_DATA: folder,
      PORT: '0',
      HOST: '127.0.0.1',
      SOCLE_DEMO: '0',
      SOCLE_ADMIN_PASSWORD: 'a password of tests',
      LOG_LEVEL: 'silent',
    }),
    tell: () => {},
  })
  try {
    // Checking a password takes long enough to be under way.
    const asked = fetch(`${served.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { origin: served.url, 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'admin@example.com', password: 'a password of tests' }),
    })
    await pause(20)
    await served.close()
    expect((await asked).status).toBe(200)
    await expect(fetch(`${served.url}/healthz`)).rejects.toThrow('fetch failed')
  } finally {
    await rm(folder, { recursive: true })
  }
})
