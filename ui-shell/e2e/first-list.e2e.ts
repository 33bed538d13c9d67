import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { UiManifest } from '../src/build/manifest.ts'

const budget = { bytes: 60 * 1024, scripts: 8 }

test('the first list of records loads no more than its budget: whoever adds to it fetches on demand', async () => {
  const manifest = join(import.meta.dirname, '../dist/ui/manifest.json')
  const { firstList } = JSON.parse(await readFile(manifest, 'utf8')) as UiManifest
  const bytes = Object.values(firstList).reduce((sum, size) => sum + size, 0)
  expect(bytes, JSON.stringify(firstList, undefined, 2)).toBeLessThanOrEqual(budget.bytes)
  expect(Object.keys(firstList).length).toBeLessThanOrEqual(budget.scripts)
})
