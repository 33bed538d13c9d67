import { shell } from '@socle/sdk/ui'
import type { UiDefinition } from '@socle/sdk/ui'
import { define } from './define.ts'

const modules = new Map<string, Promise<{ ui?: UiDefinition }>>()

/** The UI module of an enabled plugin, by its content-hashed URL; a failed load may be tried again. */
function moduleOf(url: string): Promise<{ ui?: UiDefinition }> {
  let module = modules.get(url)
  if (!module) {
    module = import(/* @vite-ignore */ url) as Promise<{ ui?: UiDefinition }>
    module.catch(() => modules.delete(url))
    modules.set(url, module)
  }
  return module
}

/**
 * Makes an element of a plugin, its module fetched first where need be.
 *
 * Made by its class: the document's own way reports a constructor that throws to the page and answers an element that is nothing.
 *
 * @throws as `ensureElement` does, or what the plugin's code throws
 */
export async function makeElement(plugin: string, tag: string): Promise<HTMLElement> {
  await ensureElement(plugin, tag)
  const Element = customElements.get(tag)
  if (!Element) throw new Error(`<${tag}> of plugin ${plugin} is not registered.`)
  return new Element()
}

/**
 * Makes a plugin's element known to the page.
 *
 * @throws an Error that names what is missing: the module, the element in it, or a class under its name
 */
export async function ensureElement(plugin: string, tag: string): Promise<void> {
  if (customElements.get(tag)) return
  const url = shell()?.plugins.find((it) => it.id === plugin)?.ui
  if (!url) throw new Error(`Plugin ${plugin} has no user interface here.`)
  const { ui } = await moduleOf(url)
  const load = ui?.elements[tag]
  if (!load) throw new Error(`Plugin ${plugin} declares <${tag}>, but its ui.elements do not list it.`)
  const element = Object.values(await load()).find(isElementClass)
  if (!element) throw new Error(`The module of <${tag}> exports no element class.`)
  define(tag, element)
}

function isElementClass(value: unknown): value is CustomElementConstructor {
  return typeof value === 'function' && value.prototype instanceof HTMLElement
}
