import type { UnsavedText } from './unsaved.ts'

const typed = new WeakSet<EventTarget>()
let focused = new WeakRef<EventTarget>(document)

// Before any element hears it: one that keeps what is typed to itself is heard too.
document.addEventListener(
  'input',
  (event) => {
    const [field] = event.composedPath()
    if (field) typed.add(field)
  },
  { capture: true },
)

document.addEventListener(
  'focusin',
  (event) => {
    focused = new WeakRef(event.composedPath()[0] ?? document)
  },
  { capture: true },
)

/** Whether the last that had the focus stands in an element, however deep. */
export function hadFocus(root: Element): boolean {
  let node = focused.deref() as Node | null | undefined
  while (node && node !== root) node = node instanceof ShadowRoot ? node.host : node.parentNode
  return node === root
}

/** What somebody typed below an element and that still stands there, field by field; what is secret or only searched for is left out. */
export function typedIn(root: Element): UnsavedText[] {
  return [...fieldsBelow(root.shadowRoot ?? root)].flatMap((field) => {
    const text = textOf(field)
    return text.trim() === '' ? [] : [{ title: titleOf(field), text: () => text }]
  })
}

function* fieldsBelow(root: ParentNode): Generator<HTMLElement> {
  for (const element of root.querySelectorAll<HTMLElement>('*')) {
    if (typed.has(element)) yield element
    if (element.shadowRoot) yield* fieldsBelow(element.shadowRoot)
  }
}

const written = new Set(['text', 'email', 'tel', 'url', 'number'])

function textOf(field: HTMLElement): string {
  if (field instanceof HTMLTextAreaElement) return field.value
  if (field instanceof HTMLInputElement) return written.has(field.type) ? field.value : ''
  return field.isContentEditable || field.contentEditable === 'true' ? field.innerText : ''
}

function titleOf(field: HTMLElement): string {
  const { labels } = field as Partial<Pick<HTMLInputElement, 'labels'>>
  return field.ariaLabel ?? labels?.[0]?.innerText.trim() ?? field.getAttribute('placeholder') ?? ''
}
