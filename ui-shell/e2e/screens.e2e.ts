import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { settled, visit } from './browser.ts'
import { routesOf } from './routes.ts'

const folder = join(import.meta.dirname, 'screens')
const isWanted = process.env['SCREENS'] === '1'

describe.runIf(isWanted)('pictures of every screen', async () => {
  if (!isWanted) return
  await mkdir(folder, { recursive: true })
  await using arranging = await visit('/')
  const routes = await routesOf(arranging.api)
  const sizes = [1440, 390] as const
  const themes = ['light', 'dark'] as const
  for (const theme of themes) {
    for (const width of sizes) {
      test.each(routes)(`$name, ${theme}, ${width} px`, async ({ name, path, as }) => {
        const size = { width, height: width === 1440 ? 900 : 844 }
        await using reader = await visit(path, { theme, size, ...(as && { as }) })
        await settled(reader.page)
        await reader.page.screenshot({ path: join(folder, `${name}-${theme}-${width}.png`) })
      })
    }
  }
})
