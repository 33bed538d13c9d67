import { icon, shell, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import { checkHref } from './access-api.ts'

/** On a card that says no: leads who may look into rights to what decides for them. */
export function whyLink(resource: string): TemplateResult | typeof nothing {
  const document = shell()
  const overseers = ['core.role.manage', 'core.audit.read']
  if (!document?.may.some((it) => overseers.includes(it))) return nothing
  return html`<a slot="actions" class="button" href=${checkHref({ actor: document.user.id, resource })}
    >${icon('circle-help')}${t('shell.access.why')}</a
  >`
}
