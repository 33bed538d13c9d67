import { shell } from '@socle/sdk/ui'
import type { ShellDocument } from '@socle/sdk/ui'
import { define } from './define.ts'
import { PluginVersion } from './plugin-version.ts'
import { ShellSlot } from './shell-slot.ts'
import { hadFocus, typedIn } from './typed-text.ts'
import type { LostText } from './unsaved.ts'

// A plugin's own screen may offer a place too.
define('shell-slot', ShellSlot)

/** By address: of each plugin the version in force, and one that is about to be. */
const versions = new Map<string, PluginVersion>()
/** As long as a new document waits for the modules it needs; later they come as any other. */
const patience = 2000

/**
 * Makes an element of a plugin, its module fetched first where need be.
 *
 * @throws an Error that names what is missing: the module, the element in it, or a class under its name; or what the plugin's
 * code throws
 */
export async function makeElement(plugin: string, tag: string): Promise<HTMLElement> {
  const url = uiOf(shell(), plugin)
  if (!url) throw new Error(`Plugin ${plugin} has no user interface here.`)
  return versionAt(plugin, url).make(tag)
}

/**
 * Loads what a new document will show in the place of what is on screen, so that old elements are replaced in one go once it is
 * in force. What does not come in time, or fails, says so where it is shown.
 */
export async function prepare(document: ShellDocument): Promise<void> {
  const coming = [...versions.values()].flatMap(({ plugin, url, tags }) => {
    const next = uiOf(document, plugin)
    return next === undefined || next === url ? [] : tags.map((tag) => versionAt(plugin, next).load(tag))
  })
  if (coming.length > 0) {
    const late = new Promise((done) => setTimeout(done, patience))
    await Promise.race([Promise.allSettled(coming), late])
  }
  const wanted = new Set(document.plugins.map(({ ui }) => ui))
  for (const url of versions.keys()) if (!wanted.has(url)) versions.delete(url)
}

function versionAt(plugin: string, url: string): PluginVersion {
  const version = versions.get(url) ?? new PluginVersion(plugin, url, (element) => takeLeave(element, plugin, url))
  versions.set(url, version)
  return version
}

/** An element that went because its version did takes along what was typed into it, which is offered for copying, and the focus. */
function takeLeave(element: HTMLElement, plugin: string, url: string): void {
  const next = uiOf(shell(), plugin)
  if (next === url) return
  const texts = typedIn(element)
  const detail: LostText = { texts, isOfUpgrade: next !== undefined }
  if (texts.length > 0) window.dispatchEvent(new CustomEvent('shell-lost', { detail }))
  // Where nothing else took it, whoever was in it goes on in the same screen.
  if (hadFocus(element)) setTimeout(focusMain)
}

function focusMain(): void {
  if (document.activeElement !== document.body) return
  document.querySelector('shell-app')?.shadowRoot?.querySelector<HTMLElement>('#main')?.focus()
}

function uiOf(document: ShellDocument | undefined, plugin: string): string | undefined {
  return document?.plugins.find((it) => it.id === plugin)?.ui
}
