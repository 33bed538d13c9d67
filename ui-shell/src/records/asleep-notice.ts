import { format, icon, t } from '@socle/sdk/ui'
import type { SavedView } from '@socle/sdk/ui'
import { html } from 'lit'

/** Over the rows of a view of which a part rests: which part, and the module that wakes it. */
export function asleepNotice(sleeping: NonNullable<SavedView['sleeping']>) {
  const modules = format.list([...new Set(sleeping.map(({ module }) => module))])
  // A field may be a column and a sort at once.
  const parts = [...new Set(sleeping.map(({ text }) => text))]
  return html`<div class="notice" role="status">
    ${icon('lock')}
    <span
      >${t('shell.views.asleep', { count: parts.length, modules })} <span class="meta">${parts.join(' · ')}</span></span
    >
  </div>`
}
