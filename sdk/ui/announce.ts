const regions = new Map<string, HTMLElement>()

/**
 * Speaks to screen readers.
 *
 * @param mode - `polite` for results and moves; `assertive` only for what needs an answer
 */
export function announce(text: string, mode: 'polite' | 'assertive' = 'polite'): void {
  const region = regionFor(mode)
  region.textContent = ''
  // A region that changes to the same text in one frame is not read again.
  setTimeout(() => (region.textContent = text), 40)
}

function regionFor(mode: 'polite' | 'assertive'): HTMLElement {
  // An open modal dialog makes the rest of the page inert, its live regions included.
  const host = openDialog() ?? document.body
  const known = regions.get(mode)
  const region = known ?? document.createElement('div')
  if (!known) {
    region.className = 'visually-hidden'
    region.setAttribute('role', mode === 'polite' ? 'status' : 'alert')
    region.setAttribute('aria-live', mode)
    regions.set(mode, region)
  }
  if (region.parentNode !== host) host.append(region)
  return region
}

function openDialog(): Element | undefined {
  return [...document.querySelectorAll('socle-dialog[open]')].at(-1)
}
