import { t, valueTemplate } from '@socle/sdk/ui'
import type { FieldChange, Included, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html } from 'lit'
import type { TemplateResult } from 'lit'
import { fieldOf, hasValue, pointsAtRecord } from './resources.ts'
import { titleFor } from './titles.ts'

/** One change as a sentence: "Stage Proposal → Negotiation". `arrived` is called when a missing title came. */
export function changeTemplate(
  meta: ResourceMeta,
  change: FieldChange,
  context: { record: RecordJson | undefined; included: Included; arrived: () => void },
): TemplateResult {
  const field = fieldOf(meta, change.field)
  const shown = (value: unknown): TemplateResult | string => {
    if (!hasValue(value) && !field?.masked) return html`<span class="none">${t('shell.records.history.nothing')}</span>`
    if (!field) return typeof value === 'object' ? JSON.stringify(value) : String(value)
    const isKnown = !pointsAtRecord(field) || context.included[field.target ?? '']?.[String(value)]
    if (!isKnown && field.target) return titleFor(field.target, String(value), context.arrived) ?? '…'
    return valueTemplate(field, value, {
      record: context.record,
      included: context.included,
      digits: 'auto',
      links: false,
    })
  }
  return html`<span class="change">
    <span class="what">${field?.label ?? change.field}</span> <span class="old">${shown(change.old)}</span>
    <span class="to" aria-label=${t('shell.records.history.became')} role="img">→</span>
    <span class="new">${shown(change.new)}</span>
  </span>`
}

export const changeStyles = css`
  .change {
    display: inline-flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px 6px;
    overflow-wrap: anywhere;
  }
  .change .what {
    color: var(--socle-text-2);
  }
  .change .old,
  .change .to,
  .change .none {
    color: var(--socle-text-3);
  }
  .change .new {
    font-weight: 500;
  }
`

/** Fields a change of which says nothing to a reader: they follow from others. */
export function isTelling(meta: ResourceMeta, change: FieldChange): boolean {
  return (
    fieldOf(meta, change.field) !== undefined &&
    !['version', 'updatedAt', 'updatedBy', 'createdAt', 'createdBy'].includes(change.field)
  )
}
