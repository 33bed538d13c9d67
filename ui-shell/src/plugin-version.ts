import type { UiDefinition } from '@socle/sdk/ui'

/** What the shell uses of an element that Lit draws, whichever Lit that is. */
interface Drawn {
  performUpdate?: () => unknown
  disconnectedCallback?: () => void
  renderOptions?: { creationScope?: { importNode(node: Node, deep?: boolean): Node } }
}

/** Who made an element: a class outlives the version that registered it, and serves the one that comes back. */
const makers = new WeakMap<HTMLElement, PluginVersion>()

/**
 * One version of a plugin's user interface in this page.
 *
 * A browser never forgets what a tag means, so each version has tags of its own: `<hello-wall>` is `<hello-wall--k3j9x>`. Where
 * a template of one of its elements says `<hello-row>`, the row of the same version is made, loaded first where need be.
 * An element carries the name its plugin gave it as `data-tag`.
 */
export class PluginVersion {
  readonly plugin: string
  readonly url: string
  readonly #suffix: string
  readonly left: (element: HTMLElement) => void
  #ui: UiDefinition | undefined
  readonly #classes = new Map<string, Promise<CustomElementConstructor>>()
  readonly #renamed = new WeakMap<Node, Node>()
  readonly #scope = {
    importNode: (content: Node, deep?: boolean): Node => this.#clone(content as DocumentFragment, deep),
  }

  /** @param left - told of each element that was made and is no longer in the page */
  constructor(plugin: string, url: string, left: (element: HTMLElement) => void) {
    this.plugin = plugin
    this.url = url
    this.left = left
    this.#suffix = hashOf(url)
  }

  /** Tags this page has asked for so far. */
  get tags(): readonly string[] {
    return [...this.#classes.keys()]
  }

  /**
   * Makes an element.
   *
   * Made by its class: the document's own way reports a constructor that throws to the page and answers an element that is
   * nothing.
   *
   * @throws an Error that names what is missing, or what the plugin's code throws
   */
  async make(tag: string): Promise<HTMLElement> {
    const Element = await this.load(tag)
    const element = new Element()
    element.dataset['tag'] = tag
    makers.set(element, this)
    return element
  }

  /**
   * The class of a tag, registered; a failed load may be tried again.
   *
   * @throws an Error that names what is missing: the element in the module, or a class under its name
   */
  load(tag: string): Promise<CustomElementConstructor> {
    const known = this.#classes.get(tag)
    if (known) return known
    const loading = this.#register(tag)
    loading.catch(() => this.#classes.delete(tag))
    this.#classes.set(tag, loading)
    return loading
  }

  async #register(tag: string): Promise<CustomElementConstructor> {
    const { ui } = (await import(/* @vite-ignore */ this.url)) as { ui?: UiDefinition }
    this.#ui = ui
    const load = ui?.elements[tag]
    if (!load) throw new Error(`Plugin ${this.plugin} declares <${tag}>, but its ui.elements do not list it.`)
    const Element = Object.values(await load()).find(isElementClass)
    if (!Element) throw new Error(`The module of <${tag}> exports no element class.`)
    const name = this.#nameOf(tag)
    // Switched off and on again, a version is the one it was.
    const before = customElements.get(name)
    if (before) return before
    const ours = this.#ours(Element)
    customElements.define(name, ours)
    return ours
  }

  #nameOf(tag: string): string {
    return `${tag}--${this.#suffix}`
  }

  /** A class of the shell's around the plugin's: two versions may share a module that did not change, and no class has two names. */
  #ours(Element: CustomElementConstructor): CustomElementConstructor {
    const scope = this.#scope
    const { performUpdate, disconnectedCallback } = Element.prototype as Drawn
    const gone = (element: HTMLElement) => !element.isConnected && makers.get(element)?.left(element)
    return class extends Element {
      constructor() {
        super()
        const { renderOptions } = this as Drawn
        if (renderOptions) renderOptions.creationScope = scope
      }

      // Lit reports a throwing render as a rejection nobody awaits; here it must not pass unseen.
      performUpdate(): unknown {
        try {
          return performUpdate?.call(this)
        } catch (problem) {
          tellFailed(this, problem)
          return undefined
        }
      }

      disconnectedCallback(): void {
        disconnectedCallback?.call(this)
        // One that is moved is back in the same turn.
        queueMicrotask(() => gone(this))
      }
    }
  }

  #clone(content: DocumentFragment, deep: boolean | undefined): Node {
    const clone = document.importNode(this.#rename(content), deep)
    for (const element of clone.querySelectorAll<HTMLElement>('[data-tag]')) {
      const tag = element.dataset['tag'] ?? ''
      if (this.#ui?.elements[tag]) this.load(tag).catch((problem: unknown) => tellFailed(element, problem))
    }
    return clone
  }

  /** The same nodes in the same order, so that Lit finds its places in them, but with this version's tags. */
  #rename(content: DocumentFragment): DocumentFragment {
    const known = this.#renamed.get(content)
    if (known) return known as DocumentFragment
    const tags = Object.keys(this.#ui?.elements ?? {}).join()
    const isMeant = tags !== '' && content.querySelector(tags) !== null
    const renamed = isMeant ? (content.cloneNode(true) as DocumentFragment) : content
    if (isMeant) for (const element of renamed.querySelectorAll(tags)) this.#renameOne(element)
    this.#renamed.set(content, renamed)
    return renamed
  }

  #renameOne(element: Element): void {
    const { localName, ownerDocument } = element
    const renamed = ownerDocument.createElement(this.#nameOf(localName))
    for (const attribute of element.attributes) renamed.setAttributeNode(attribute.cloneNode() as Attr)
    renamed.dataset['tag'] = localName
    renamed.append(...element.childNodes)
    element.replaceWith(renamed)
  }
}

/** Says to the place an element stands in that it could not be drawn. */
function tellFailed(element: HTMLElement, problem: unknown): void {
  element.dispatchEvent(new CustomEvent('shell-failed', { detail: problem, bubbles: true, composed: true }))
}

function isElementClass(value: unknown): value is CustomElementConstructor {
  return typeof value === 'function' && value.prototype instanceof HTMLElement
}

// FNV-1a: an address holds the hash of what is behind it, and a tag only small letters and digits.
function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(36)
}
