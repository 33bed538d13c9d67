import { controls, format, icon, recordHref, resource, t } from '@socle/sdk/ui'
import type { Undone } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { QuestionDialog } from './question-dialog.ts'
import { fieldOf } from './resources.ts'
import { titleFor } from './titles.ts'

type Kept = Undone['kept'][number]

/** Which records and fields an undo left alone, and why. */
export class ShellKept extends QuestionDialog<Undone['kept'], never> {
  override render() {
    const ofRecord = new Map<string, Kept[]>()
    for (const it of this.question) {
      const key = `${it.resource} ${it.id}`
      ofRecord.set(key, [...(ofRecord.get(key) ?? []), it])
    }
    return html`<socle-dialog open .heading=${t('shell.records.kept.title')} @socle-close=${this.closed}>
      <ul>
        ${[...ofRecord.values()].map((some) => this.#record(some))}
      </ul>
      <button slot="actions" class="button" autofocus @click=${this.close}>${t('shell.close')}</button>
    </socle-dialog>`
  }

  #record(some: readonly Kept[]) {
    const { resource: kind, id } = some[0]!
    const meta = resource(kind)
    const title = meta && titleFor(kind, id, () => this.requestUpdate())
    // Of one that cannot be read, what it is called is not told.
    const name = title === id ? undefined : title
    const fields = some.flatMap((it) => ('field' in it ? [(meta && fieldOf(meta, it.field)?.label) ?? it.field] : []))
    return html`<li>
      ${icon(meta?.icon ?? 'file')}
      <span>
        ${
          name === undefined
            ? (meta?.name.one ?? t('shell.records.kept.other'))
            : html`<a class="link" href=${recordHref(kind, id) ?? nothing} @click=${this.close}>${name}</a>`
        }
        ${
          fields.length
            ? html`<span class="meta"
                >${t('shell.records.kept.fields', { count: fields.length, fields: format.list(fields) })}</span
              >`
            : nothing
        }
        ${some.map((it) => ('problem' in it ? html`<span class="error">${it.problem.detail}</span>` : nothing))}
      </span>
    </li>`
  }

  static override styles = [
    controls,
    css`
      ul {
        max-block-size: min(420px, 60vh);
        overflow: auto;
      }
      li {
        display: flex;
        gap: 8px;
        padding-block: 8px;
        border-block-end: 1px solid var(--socle-line);
        overflow-wrap: anywhere;
      }
      li:last-child {
        border: 0;
      }
      li > .icon {
        flex: none;
        margin-block-start: 2px;
        color: var(--socle-text-3);
      }
      li > span {
        flex: 1;
        min-inline-size: 0;
      }
      .meta,
      .error {
        display: block;
      }
    `,
  ]
}
