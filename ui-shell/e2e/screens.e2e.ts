import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { visit } from './browser.ts'
import { routesFor, routesOf } from './routes.ts'
import { arrive } from './walk.ts'

const folder = join(import.meta.dirname, 'screens')
const isWanted = process.env['SCREENS'] === '1'

const looks = [
  { name: '1440-light-en', as: 'claire', theme: 'light', size: { width: 1440, height: 900 } },
  { name: '1440-dark-fr', as: 'camille', theme: 'dark', size: { width: 1440, height: 900 } },
  { name: '390-light-fr', as: 'camille', theme: 'light', size: { width: 390, height: 844 } },
  { name: '390-dark-en', as: 'claire', theme: 'dark', size: { width: 390, height: 844 } },
] as const

describe.runIf(isWanted)('pictures of every screen', { timeout: 900_000 }, async () => {
  if (!isWanted) return
  await mkdir(folder, { recursive: true })
  await using arranging = await visit('/')
  const routes = await routesOf(arranging.api)

  test.each(looks)('$name', async ({ name, ...options }) => {
    await using reader = await visit('/', options)
    const { page } = reader
    for (const route of await routesFor(reader.api, routes)) {
      if (route.as) continue
      await arrive(page, route.path)
      await page.screenshot({ path: join(folder, `${nameOf(route)}-${name}.png`) })
    }
    const locale = options.as === 'camille' ? 'fr-FR' : 'en-GB'
    for (const route of routes.filter((it) => it.as)) {
      await using stranger = await visit(route.path, { ...options, locale, as: 'nobody' })
      await stranger.page.screenshot({ path: join(folder, `${nameOf(route)}-${name}.png`) })
    }
  })

  test('one page shows them side by side', async () => {
    const rows = routes.map(nameOf).map((it) => {
      const pictures = looks.map(({ name }) => `<img loading="lazy" alt="${name}" src="${it}-${name}.png">`)
      return `<h2>${it}</h2><p>${pictures.join('')}</p>`
    })
    const style = '<style>img { block-size: 480px; margin: 4px; border: 1px solid }</style>'
    await writeFile(join(folder, 'index.html'), `<!doctype html><title>Screens</title>${style}${rows.join('\n')}`)
  })
})

function nameOf({ name }: { readonly name: string }): string {
  return name.replaceAll(/[^\w-]+/g, '-')
}
