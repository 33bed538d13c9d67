import { css } from 'lit'

// The list of core/src/records/rich-text.ts, by which the server cleans what it stores.
const kept = new Set([
  ...['P', 'BR', 'STRONG', 'EM', 'U', 'S', 'A', 'UL', 'OL', 'LI', 'H2', 'H3', 'H4', 'BLOCKQUOTE', 'CODE', 'PRE', 'HR'],
])
const dropped = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'IFRAME', 'OBJECT', 'NOSCRIPT'])

/** Addresses that formatted text may lead to. */
export function isSafeAddress(address: string): boolean {
  return /^(https?:\/\/|mailto:|tel:)/i.test(address.trim())
}

/**
 * Formatted text as nodes of the page. Tags of another kind lose themselves and keep their words, whatever a store that
 * was written by other ways than the API may hold: nothing of it runs.
 */
export function richContent(html: string): DocumentFragment {
  const content = document.createDocumentFragment()
  // A parsed document is inert: it fetches nothing and runs nothing.
  copyInto(content, new DOMParser().parseFromString(html, 'text/html').body)
  return content
}

function copyInto(target: Node, source: Node): void {
  for (const child of source.childNodes) {
    if (child instanceof Text) target.appendChild(document.createTextNode(child.data))
    if (!(child instanceof Element) || dropped.has(child.tagName.toUpperCase())) continue
    copyInto(kept.has(child.tagName) ? target.appendChild(copyOf(child)) : target, child)
  }
}

function copyOf(element: Element): HTMLElement {
  const copy = document.createElement(element.localName)
  const address = element.getAttribute('href') ?? ''
  if (copy instanceof HTMLAnchorElement && isSafeAddress(address)) {
    copy.href = address
    copy.className = 'link'
    copy.rel = 'noopener noreferrer'
    if (/^http/i.test(address)) copy.target = '_blank'
  }
  return copy
}

/** How formatted text looks, where it is read and where it is written. */
export const richStyles = css`
  .rich {
    font: var(--socle-body);
    overflow-wrap: anywhere;
  }

  .rich > * {
    margin: 0;
  }

  .rich > * + * {
    margin-block-start: 8px;
  }

  .rich :is(h2, h3, h4) {
    font: var(--socle-title);
    font-weight: 600;
  }

  .rich h2 {
    font: var(--socle-heading);
    font-weight: 600;
  }

  .rich h4 {
    font: var(--socle-body);
    font-weight: 600;
  }

  .rich :is(ul, ol) {
    margin: 0;
    padding-inline-start: 24px;
  }

  .rich > * + :is(ul, ol) {
    margin-block-start: 8px;
  }

  .rich ul {
    list-style: disc;
  }

  .rich ol {
    list-style: decimal;
  }

  .rich li > * {
    margin: 0;
  }

  .rich blockquote {
    padding-inline-start: 12px;
    color: var(--socle-text-2);
    border-inline-start: 2px solid var(--socle-line);
  }

  .rich blockquote > * {
    margin: 0;
  }

  .rich code {
    padding: 1px 4px;
    font:
      12px/18px ui-monospace,
      monospace;
    background: var(--socle-muted);
    border-radius: 4px;
  }

  .rich pre {
    padding: 8px 12px;
    overflow-x: auto;
    white-space: pre;
    background: var(--socle-muted);
    border-radius: var(--socle-radius);
  }

  .rich pre code {
    padding: 0;
    background: none;
  }

  .rich hr {
    block-size: 1px;
    background: var(--socle-line);
    border: 0;
  }

  .rich a {
    color: var(--socle-accent);
    text-decoration: underline;
  }
`
