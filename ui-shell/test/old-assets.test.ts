import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dropOldAssets } from '../src/build/old-assets.ts'

const hour = 3_600_000

test('a file that another replaced is served for a day from then on, however old it is', async () => {
  const outDir = await mkdtemp(join(tmpdir(), 'socle-assets-'))
  try {
    const folder = join(outDir, 'assets/hello')
    await mkdir(folder, { recursive: true })
    for (const file of ['hello-1.js', 'hello-1.js.br', 'hello-2.js']) {
      await writeFile(join(folder, file), '')
      await utimes(join(folder, file), 0, 0)
    }
    const used = new Set(['assets/hello/hello-2.js'])
    const start = Date.UTC(2026, 2, 2)
    const first = await dropOldAssets(outDir, used, {}, start)
    expect(await readdir(folder)).toEqual(['hello-1.js', 'hello-1.js.br', 'hello-2.js'])
    const second = await dropOldAssets(outDir, used, first, start + 24 * hour)
    expect(await readdir(folder)).toHaveLength(3)
    // One that is used again begins anew.
    const used1 = new Set([...used, 'assets/hello/hello-1.js'])
    const again = await dropOldAssets(outDir, used1, second, start + 30 * hour)
    expect(again).toEqual({})
    const third = await dropOldAssets(outDir, used, again, start + 31 * hour)
    expect(await dropOldAssets(outDir, used, third, start + 56 * hour)).toEqual({})
    expect(await readdir(folder)).toEqual(['hello-2.js'])
  } finally {
    await rm(outDir, { recursive: true, force: true })
  }
})
