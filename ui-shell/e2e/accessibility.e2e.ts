import type { Page } from 'playwright-core'
import { afterAll, describe, expect, test } from 'vitest'
import { settled, visit } from './browser.ts'
import type { Visit } from './browser.ts'
import { routesFor, routesOf } from './routes.ts'
import type { Route } from './routes.ts'
import { arrive, findings, keyboardFaults, misfits, missingWords, stretchWords } from './walk.ts'

// Every theme with every width and language, axe whole each time: `WALK=full`, half an hour.
const isFull = process.env['WALK'] === 'full'
const widths = [1280, 768, 320] as const
const themes = ['light', 'dark'] as const

const english = await visit('/', { size: { width: 1280, height: 800 } })
const french = await visit('/', { as: 'camille', size: { width: 1280, height: 800 } })
const stretched = await visit('/', { size: { width: 1280, height: 800 }, prepare: stretchWords })
const routes = await routesOf(english.api)
const hers = new Map((await routesFor(french.api, routes)).map((it) => [it.name, it]))
afterAll(async () => {
  for (const reader of [english, french, stretched]) await reader[Symbol.asyncDispose]()
})

async function resize(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 800 })
  await settled(page)
}

/** What one language shows: axe where colours or layout differ, words, widths, and once the keyboard. */
async function inspect(page: Page, locale: 'en' | 'fr', isTwin = false): Promise<void> {
  expect.soft(await missingWords(page), `keys without a translation (${locale})`).toEqual([])
  if (isFull) return await inspectEverything(page, locale)
  if (locale === 'en') {
    expect.soft(await findings(page), 'axe').toEqual([])
    if (!isTwin) {
      expect.soft(await keyboardFaults(page), 'keyboard').toEqual([])
      await resize(page, 768)
      expect.soft(await misfits(page), 'at 768 px').toEqual([])
    }
    await page.emulateMedia({ colorScheme: 'dark' })
    if (!isTwin) expect.soft(await findings(page, ['color-contrast']), 'contrast, dark').toEqual([])
  }
  await resize(page, 320)
  expect.soft(await misfits(page), `at 320 px (${locale})`).toEqual([])
  if (locale === 'en') expect.soft(await findings(page), 'axe, dark, 320 px').toEqual([])
}

async function inspectEverything(page: Page, locale: string): Promise<void> {
  for (const width of widths) {
    await resize(page, width)
    expect.soft(await misfits(page), `at ${width} px (${locale})`).toEqual([])
    expect.soft(await keyboardFaults(page), `keyboard, ${width} px (${locale})`).toEqual([])
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme })
      expect.soft(await findings(page), `axe, ${theme}, ${width} px (${locale})`).toEqual([])
    }
  }
}

async function signedOut({ path, complaint }: Route, locale: 'en' | 'fr'): Promise<void> {
  await using reader = await visit(path, {
    as: 'nobody',
    locale: locale === 'fr' ? 'fr-FR' : 'en-GB',
    size: { width: 1280, height: 800 },
  })
  await settled(reader.page)
  await inspect(reader.page, locale)
  expect.soft(unmeant(reader.complaints, complaint), `browser (${locale})`).toEqual([])
}

const unmeant = (complaints: readonly string[], meant: RegExp | undefined) =>
  complaints.filter((it) => !meant?.test(it))

/** One reader's share of a route; what the browser complains about meanwhile belongs to it. */
async function walk(reader: Visit, route: Route, look: (page: Page) => Promise<void>): Promise<void> {
  const before = reader.complaints.length
  await reader.page.setViewportSize({ width: 1280, height: 800 })
  await reader.page.emulateMedia({ colorScheme: 'light' })
  await arrive(reader.page, route.path)
  await look(reader.page)
  expect.soft(unmeant(reader.complaints.slice(before), route.complaint), 'browser').toEqual([])
}

describe('walking through every screen, there is nothing to complain about', { timeout: 600_000 }, () => {
  test.each(routes.filter((it) => it.as))('$name, before anybody signed in', async (route) => {
    await Promise.all([signedOut(route, 'en'), signedOut(route, 'fr')])
  })

  test.each(routes.filter((it) => !it.as))('$name', async (route) => {
    await Promise.all([
      walk(english, route, (page) => inspect(page, 'en', route.isTwin)),
      walk(french, hers.get(route.name)!, (page) => inspect(page, 'fr', route.isTwin)),
      walk(stretched, route, async (page) => {
        if (!route.isTwin) expect.soft(await misfits(page), 'words 30 % longer, 1280 px').toEqual([])
        await resize(page, 320)
        expect.soft(await misfits(page), 'words 30 % longer, 320 px').toEqual([])
      }),
    ])
  })
})
