import { icon, t } from '@socle/sdk/ui'
import { html, type TemplateResult } from 'lit'

/** Shows a password while somebody looks for a slip, and hides it again. */
export function showButton(isShown: boolean, toggle: () => void): TemplateResult {
  return html`<button
    type="button"
    class="icon-button"
    aria-pressed=${isShown}
    aria-label=${t('shell.signIn.show')}
    title=${t('shell.signIn.show')}
    @click=${toggle}
  >
    ${icon('eye')}
  </button>`
}
