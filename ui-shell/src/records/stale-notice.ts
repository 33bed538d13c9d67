import { format, icon, t } from '@socle/sdk/ui'
import type { ProblemError } from '@socle/sdk/ui'
import { html } from 'lit'

/** Over rows that could not be read again: since when they stand, why, and the way to try once more. */
export function staleNotice(
  { loadedAt, problem }: { readonly loadedAt: Date | undefined; readonly problem: ProblemError | undefined },
  retry: () => void,
) {
  const time = loadedAt ? format.time(loadedAt.toISOString()) : ''
  return html`<div class="notice" role="status">
    ${icon('wifi-off')}
    <span>${t('shell.records.stale', { time })} <span class="meta">${problem?.detail}</span></span>
    <button class="button small" @click=${retry}>${icon('refresh-cw')}${t('shell.records.retry')}</button>
  </div>`
}
