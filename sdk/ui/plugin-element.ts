import type { PropertyDeclarations } from 'lit'
import { api } from './api.ts'
import { format } from './format.ts'
import { KitElement } from './kit-element.ts'
import type { Frozen, SlotContext } from './slot.ts'
import { t } from './words.ts'

/**
 * Base of a plugin's elements: screens and slot fills.
 *
 * @typeParam S - the slot this element fills, or the shape of its context
 */
export class PluginElement<S = unknown> extends KitElement {
  static override properties: PropertyDeclarations = { context: { attribute: false } }

  /** What the place it stands in says: a slot's context, a screen's address. */
  declare context: Frozen<S extends { readonly kind: 'slot' } ? SlotContext<S> : S>

  readonly t = t
  readonly format = format
  readonly api = api
}

export interface UiDefinition {
  /**
   * Custom elements by tag; each module exports one class. Templates of each may use the others by tag. In the page every version
   * of a plugin has tags of its own: find an inner element by class, `ref` or `[data-tag=…]`.
   */
  readonly elements: Readonly<Record<string, () => Promise<Record<string, unknown>>>>
}

/** Names the elements of a plugin; the shell registers each the first time it is needed. */
export function defineUi(ui: UiDefinition): UiDefinition {
  return ui
}
