import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { BrowserContext, Page } from 'playwright-core'
import { eventually, settled } from './browser.ts'
import { cutByDesign, exceptions, sidewaysByDesign, wordsByDesign } from './exceptions.ts'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const untranslated = /\b[a-z]+(?:\.[a-z-]+){2,}\b/gi

/** Goes to a screen as a link in the page does; the tab and what it has loaded stay. */
export async function arrive(page: Page, path: string): Promise<void> {
  await page.evaluate((url) => {
    window.dispatchEvent(new CustomEvent('socle-navigate', { detail: { url }, cancelable: true }))
  }, path)
  await eventually(() => page.evaluate(() => location.pathname + location.search)).toBe(path)
  await settled(page)
}

/** What axe finds on the page, without the exceptions, as sentences. */
export async function findings(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  const options: RunOptions = {
    resultTypes: ['violations'],
    ...(rules ? { runOnly: { type: 'rule', values: [...rules] } } : {}),
  }
  const { violations } = await page.evaluate(async (options) => {
    const { axe } = window as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }
    return await axe.run(options)
  }, options)
  return violations.flatMap(({ id, nodes }) =>
    nodes
      .filter(({ html }) => !exceptions.some((it) => it.rule === id && it.markup.test(html)))
      .map(({ html, failureSummary, target }) => `${id}: ${failureSummary} at ${JSON.stringify(target)} ${html}`),
  )
}

/** Words on the page that are keys: a translation is missing. */
export async function missingWords(page: Page): Promise<string[]> {
  const text = await page.locator('body').ariaSnapshot()
  const isAddress = (word: string) => /\.(example|com|fr|org|test)$/i.test(word) || word.startsWith('www.')
  return [...text.matchAll(untranslated)]
    .map(([word]) => word)
    .filter((word) => !isAddress(word) && !wordsByDesign.some((it) => it.word.test(word)))
}

/** Parts of the page that can be scrolled sideways and should not, and controls whose words do not fit. */
export async function misfits(page: Page): Promise<string[]> {
  const found = await page.evaluate(() => {
    const parts: { part: string; fault: string }[] = []
    const named = 'button, summary, [role="tab"], [role="menuitem"], a.button, label, th, [role="columnheader"]'
    const shown = (element: Element) => element.outerHTML.replaceAll(/<!--.*?-->|\s+/g, ' ').slice(0, 200)
    const parentOf = (element: Element): Element | null =>
      element.assignedSlot ?? element.parentElement ?? (element.getRootNode() as Partial<ShadowRoot>).host ?? null
    const cuts = (element: Element) => ['hidden', 'clip'].includes(getComputedStyle(element).overflowX)
    const isForEars = (element: Element): boolean =>
      element.closest('.visually-hidden') !== null || element.getBoundingClientRect().width <= 1
    const ownText = (element: Element) =>
      [...element.childNodes].some((it) => it.nodeType === 3 && it.nodeValue?.trim())

    const looksCut = (element: HTMLElement): void => {
      const inner = [element, ...element.querySelectorAll<HTMLElement>('*')]
      const words = inner.filter((it) => ownText(it) && it.checkVisibility() && !isForEars(it))
      if (words.length === 0) return
      const box = element.getBoundingClientRect()
      for (const it of words) {
        const range = document.createRange()
        range.selectNodeContents(it)
        const text = range.getBoundingClientRect()
        if (text.width < 1) continue
        if ((cuts(it) && it.scrollWidth > it.clientWidth + 1) || text.right > box.right + 1 || text.left < box.left - 1)
          parts.push({ part: shown(element), fault: `words do not fit into ${shown(element)}` })
      }
      for (let up = parentOf(element); up; up = parentOf(up)) {
        const { overflowX } = getComputedStyle(up)
        if (overflowX === 'auto' || overflowX === 'scroll') break
        if (!cuts(up)) continue
        const frame = up.getBoundingClientRect()
        if (frame.width < 2) break
        if (box.right > frame.right + 1 || box.left < frame.left - 1)
          parts.push({ part: '', fault: `cut off at the side of ${shown(up).slice(0, 80)}: ${shown(element)}` })
      }
    }
    const look = (root: ParentNode): void => {
      for (const element of root.querySelectorAll<HTMLElement>('*')) {
        if (element.shadowRoot) look(element.shadowRoot)
        if (!(element instanceof HTMLElement) || !element.checkVisibility({ visibilityProperty: true })) continue
        const { overflowX } = getComputedStyle(element)
        const over = element.scrollWidth - element.clientWidth
        const scrolls = overflowX === 'auto' || overflowX === 'scroll'
        if (scrolls && over > 1 && element.clientWidth > 40)
          parts.push({ part: shown(element), fault: `${over} px too wide: ${shown(element)}` })
        if (element.matches(named) && !isForEars(element)) looksCut(element)
      }
    }
    look(document)
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth > clientWidth)
      parts.push({ part: '', fault: `the page is ${scrollWidth - clientWidth} px too wide` })
    return parts
  })
  const width = page.viewportSize()?.width ?? 0
  const isMeant = (part: string) =>
    sidewaysByDesign.some((it) => it.part.test(part) && width > it.above) ||
    cutByDesign.some((it) => it.part.test(part))
  return found.filter(({ part }) => !isMeant(part)).map(({ fault }) => fault)
}

interface Stop {
  readonly control: number
  readonly text: string
  readonly seen: boolean
}

/** Goes through the page with Tab alone: every control must be reached, and the focus be seen where it is. */
export async function keyboardFaults(page: Page): Promise<string[]> {
  const count = await page.evaluate(() => {
    const all: HTMLElement[] = []
    const collect = (root: ParentNode): void => {
      for (const element of root.querySelectorAll<HTMLElement>('*')) {
        if (element.shadowRoot) collect(element.shadowRoot)
        if (element instanceof HTMLElement && isControl(element)) all.push(element)
      }
    }
    const isControl = (element: HTMLElement): boolean => {
      const kind = 'a[href], button, input, select, textarea, summary, [tabindex="0"], [contenteditable="true"]'
      if (!element.matches(kind) || element.matches(':disabled, [type="radio"], [type="hidden"]')) return false
      if (element.tabIndex < 0 || element.shadowRoot?.delegatesFocus) return false
      const isIn = (it: Element | null): boolean => {
        for (let at = it; at; at = at.parentElement ?? (at.getRootNode() as Partial<ShadowRoot>).host ?? null)
          if (at.hasAttribute('inert')) return false
        return true
      }
      const { width, height } = element.getBoundingClientRect()
      return isIn(element) && width > 0 && height > 0 && element.checkVisibility({ visibilityProperty: true })
    }
    const active = (): HTMLElement | undefined => {
      let it = document.activeElement
      while (it?.shadowRoot?.activeElement) it = it.shadowRoot.activeElement
      return it instanceof HTMLElement && it !== document.body ? it : undefined
    }
    const isRinged = (element: HTMLElement): boolean => {
      let it: Element | null = element
      for (let up = 0; it && up < 5; up++) {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(it)
        if ((outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || boxShadow !== 'none') return true
        it = it.assignedSlot ?? it.parentElement ?? (it.getRootNode() as Partial<ShadowRoot>).host ?? null
      }
      return false
    }
    collect(document)
    const modal = all.map((it) => it.closest('dialog:modal')).find(Boolean)
    const within = modal ? all.filter((it) => modal.contains(it)) : all
    const stops: Stop[] = [{ control: 0, text: '', seen: true }]
    const record = (): void => {
      const it = active()
      if (!it) return
      const { width, height, right, bottom } = it.getBoundingClientRect()
      const isOnPage = width > 0 && height > 0 && right > 0 && bottom > 0
      stops.push({ control: within.indexOf(it), text: it.outerHTML.slice(0, 160), seen: isOnPage && isRinged(it) })
    }
    const onKey = (event: KeyboardEvent): void => void (event.key === 'Tab' && record())
    window.addEventListener('keyup', onKey, { capture: true })
    Object.assign(window, {
      walk: {
        end: () => {
          window.removeEventListener('keyup', onKey, { capture: true })
          const reached = new Set(stops.map((it) => it.control))
          return { stops, missed: within.filter((_, at) => !reached.has(at)).map((it) => it.outerHTML.slice(0, 160)) }
        },
      },
    })
    within[0]?.focus()
    return within.length
  })
  // Once round from the first control to itself; groups of radio buttons and what opens on focus add some.
  for (let step = 0; step < count + 25; step++) await page.keyboard.press('Tab')
  const { stops, missed } = await page.evaluate(() =>
    (window as unknown as { walk: { end(): { stops: Stop[]; missed: string[] } } }).walk.end(),
  )
  return [
    ...missed.map((it) => `Tab does not come to ${it}`),
    ...new Set(stops.filter((it) => !it.seen).map((it) => `the focus is not seen on ${it.text}`)),
  ]
}

/** Lets the server's words come 30 % longer, as another language's may be. */
export async function stretchWords(context: BrowserContext): Promise<void> {
  await context.route('**/api/core/shell', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, json: stretched(await response.json()) })
  })
}

const said = new Set(['label', 'one', 'many', 'help'])

/** Texts of the shell document that are labels, made longer; ids, paths and names of people stay. */
function stretched(part: unknown, key = '', owner: object = {}): unknown {
  if (Array.isArray(part)) return part.map((it) => stretched(it, key, owner))
  if (typeof part === 'object' && part) {
    const isWords = key === 'words'
    return Object.fromEntries(
      Object.entries(part).map(([name, it]) => [name, isWords ? longer(String(it)) : stretched(it, name, part)]),
    )
  }
  // A resource's `title` is the name of a field; everywhere else it is read.
  const isRead = said.has(key) || (key === 'title' && !('fields' in owner))
  return typeof part === 'string' && isRead ? longer(part) : part
}

function longer(text: string): string {
  const extra = 'ėxťŕå ŵøŕðş åđďèð ťø îť '.repeat(40).slice(0, Math.ceil(text.length * 0.3))
  return text.includes(' ') ? `${text} ${extra}` : `${text}${extra.replaceAll(' ', '')}`
}
