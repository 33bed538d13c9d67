import { icon } from '@socle/sdk/ui'
import { html, nothing } from 'lit'

/** Why something did not work, read out at once where it happened; nothing while all is well. */
export function problemLine(sentence: string | null | undefined) {
  return sentence ? html`<p class="problem" role="alert">${icon('circle-alert')}<span>${sentence}</span></p>` : nothing
}
