import { icon, shell, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import { checkHref } from './access-api.ts'

/** What was refused: a kind of records, or the part of a permission before its last point. */
export interface WhyQuestion {
  readonly resource: string
  readonly action?: string
  readonly record?: string
  readonly field?: string
}

export const isOverseer = (): boolean => ['core.role.manage', 'core.audit.read'].some((it) => shell()?.may.includes(it))

/** The question behind a permission's id: `core.role.manage`. */
export function whyOf(permission: string): WhyQuestion {
  const at = permission.lastIndexOf('.')
  return { resource: permission.slice(0, at), action: permission.slice(at + 1) }
}

/**
 * On a card that says no: leads to what decides. Who may look into everybody's rights goes on to where they are checked,
 * everybody else reads it of themselves.
 */
export function whyLink(question: WhyQuestion): TemplateResult | typeof nothing {
  const document = shell()
  if (!document) return nothing
  const actor = document.user.id
  const label = html`${icon('circle-help')}${t('shell.access.why')}`
  if (isOverseer() && document.resources.some(({ id }) => id === question.resource))
    return html`<a slot="actions" class="button" href=${checkHref({ ...question, actor })}>${label}</a>`
  const ask = async () => {
    const [{ askWith }, { ShellWhyDialog }] = await Promise.all([
      import('../records/question-dialog.ts'),
      import('./shell-why-dialog.ts'),
    ])
    await askWith('shell-why-dialog', ShellWhyDialog, { ...question, actor })
  }
  return html`<button slot="actions" class="button" @click=${() => void ask()}>${label}</button>`
}
