import { format, icon, t } from '@socle/sdk/ui'
import { html } from 'lit'
import type { TemplateResult } from 'lit'
import type { ExternalIdentity } from './settings-api.ts'

/** By which accounts at identity providers somebody comes in; rendered with `settingsStyles`. */
export function externalIdentityRows(
  identities: readonly ExternalIdentity[],
  unlink: (identity: ExternalIdentity) => void,
): TemplateResult {
  return html`
    <ul class="rows">
      ${identities.map(
        (it) => html`
          <li>
            ${icon('badge-check')}
            <span class="grow">
              <span class="name">${it.workspace ? `${it.provider} · ${it.workspace}` : it.provider}</span>
              <span class="meta">
                <code>${it.subject}</code> · ${t('shell.keys.used', { when: format.relative(it.lastUsedAt) })}
              </span>
            </span>
            <button
              class="icon-button"
              title=${t('shell.links.unlink')}
              aria-label=${t('shell.links.unlinkOne', { provider: it.provider })}
              @click=${() => unlink(it)}
            >
              ${icon('trash-2')}
            </button>
          </li>
        `,
      )}
    </ul>
  `
}
