import { format, icon, pill, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import { deviceOf, isHandheld } from './devices.ts'
import type { SessionRow } from './settings-api.ts'

/** Where somebody is signed in: device, address, last seen; rendered with `settingsStyles`. */
export function sessionRows(sessions: readonly SessionRow[], end: (session: SessionRow) => void): TemplateResult {
  return html`
    <ul class="rows">
      ${sessions.map((it) => {
        const device = it.userAgent ? deviceOf(it.userAgent) : t('shell.security.sessions.unknown')
        return html`
          <li>
            ${icon(isHandheld(it.userAgent ?? '') ? 'smartphone' : 'monitor')}
            <span class="grow">
              <span class="name">${device}</span>
              <span class="meta">
                ${it.address ? html`${it.address} · ` : nothing}${t('shell.people.seen', {
                  when: format.relative(it.seenAt),
                })}
                · ${t('shell.security.sessions.since', { when: format.relative(it.createdAt) })}
              </span>
            </span>
            <span class="pills">
              ${it.through ? pill(t('shell.security.sessions.through', { name: it.through }), 'neutral', 'badge-check') : nothing}
              ${it.strong ? pill(t('shell.security.sessions.strong'), 'success', 'shield-check') : nothing}
              ${it.isThis ? pill(t('shell.security.sessions.this'), 'info', 'check') : nothing}
            </span>
            ${
              it.isThis
                ? nothing
                : html`<button
                    class="icon-button"
                    title=${t('shell.security.sessions.end')}
                    aria-label=${t('shell.security.sessions.endOne', { device })}
                    @click=${() => end(it)}
                  >
                    ${icon('log-out')}
                  </button>`
            }
          </li>
        `
      })}
    </ul>
  `
}
