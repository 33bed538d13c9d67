import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { settled, visit } from './browser.ts'
import { exceptions, sidewaysByDesign, wordsByDesign } from './exceptions.ts'
import { routesOf } from './routes.ts'

await using arranging = await visit('/')
const routes = await routesOf(arranging.api)

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const untranslated = /\b[a-z]+(?:\.[a-z-]+){2,}\b/gi

/** What axe finds on the page, without the exceptions, as sentences. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<AxeResults> } }
    return await axe.run()
  })
  return violations.flatMap(({ id, nodes }) =>
    nodes
      .filter(({ html }) => !exceptions.some((it) => it.rule === id && it.markup.test(html)))
      .map(({ html, failureSummary, target }) => `${id}: ${failureSummary} at ${JSON.stringify(target)} ${html}`),
  )
}

/** Words on the page that are keys: a translation is missing. */
async function missingWords(page: Page): Promise<string[]> {
  const text = await page.locator('body').ariaSnapshot()
  const isAddress = (word: string) => /\.(example|com|fr|org|test)$/i.test(word) || word.startsWith('www.')
  return [...text.matchAll(untranslated)]
    .map(([word]) => word)
    .filter((word) => !isAddress(word) && !wordsByDesign.some((it) => it.word.test(word)))
}

/** Parts of the page that can be scrolled sideways and should not. */
async function sideways(page: Page): Promise<string[]> {
  const found = await page.evaluate(() => {
    const parts: { name: string; role: string; over: number }[] = []
    const look = (root: ParentNode): void => {
      for (const element of root.querySelectorAll('*')) {
        if (element.shadowRoot) look(element.shadowRoot)
        if (!(element instanceof HTMLElement) || !element.checkVisibility()) continue
        const { overflowX } = getComputedStyle(element)
        const over = element.scrollWidth - element.clientWidth
        const scrolls = overflowX === 'auto' || overflowX === 'scroll'
        if (scrolls && over > 1 && element.clientWidth > 40)
          parts.push({ name: element.outerHTML.slice(0, 160), role: element.getAttribute('role') ?? '', over })
      }
    }
    look(document)
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth > clientWidth) parts.push({ name: 'the page', role: '', over: scrollWidth - clientWidth })
    return parts
  })
  return found
    .filter(({ role }) => !sidewaysByDesign.some((it) => it.role === role))
    .map(({ name, over }) => `${over} px too wide: ${name}`)
}

describe.each(routes)('$name', ({ path, as }) => {
  test.each(['en', 'fr'] as const)(
    'shows nothing to complain about, in either theme and down to 320 px (%s)',
    async (locale) => {
      const person = locale === 'fr' ? 'camille' : 'claire'
      await using reader = await visit(path, {
        as: as ?? person,
        ...(as && locale === 'fr' ? { locale: 'fr-FR' } : {}),
      })
      const { page, complaints } = reader
      await settled(page)
      expect.soft(await missingWords(page), 'keys without a translation').toEqual([])
      expect.soft(await findings(page), 'axe, light').toEqual([])
      if (locale === 'en') {
        await page.emulateMedia({ colorScheme: 'dark' })
        expect.soft(await findings(page), 'axe, dark').toEqual([])
      }
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 800 })
        await settled(page)
        expect.soft(await sideways(page), `sideways at ${width} px`).toEqual([])
      }
      if (locale === 'en') expect.soft(await findings(page), 'axe, dark, 320 px').toEqual([])
      expect.soft(complaints, 'browser').toEqual([])
    },
  )
})
