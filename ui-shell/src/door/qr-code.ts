import { generate } from 'lean-qr/nano'
import { html, svg } from 'lit'
import type { TemplateResult } from 'lit'

/** Modules around the code that stay empty (ISO/IEC 18004 section 5.3.8). */
const quiet = 4

/** A QR code as a drawing, dark on light in every theme: many cameras read no other. */
export function qrCode(text: string, label: string): TemplateResult {
  const code = generate(text)
  const size = code.size + 2 * quiet
  let path = ''
  for (let y = 0; y < code.size; y += 1)
    for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) path += `M${x + quiet} ${y + quiet}h1v1h-1z`
  return html`<svg class="qr" role="img" aria-label=${label} viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">
    ${svg`<rect width=${size} height=${size} fill="white" /><path d=${path} fill="black" />`}
  </svg>`
}
