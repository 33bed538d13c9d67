import { icon, pill, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { TemplateResult } from 'lit'
import { conditionLines } from './access-api.ts'
import type { Line, Verdict } from './access-api.ts'

/** What was decided about somebody, by which rule, and what would change it. */
export function verdictLines({ actor, allowed, depends, reasons, decides, changes }: Verdict): TemplateResult {
  const rest = reasons.filter((it) => it !== decides && it.text !== decides.text)
  return html`<h2>
      ${
        allowed
          ? pill(t(depends ? 'shell.access.some' : 'shell.access.yes'), depends ? 'warning' : 'success', 'circle-check')
          : pill(t('shell.access.no'), 'danger', 'circle-x')
      }
      <span>${actor.name}</span>
    </h2>
    ${line(decides)}
    ${
      rest.length
        ? html`<h3>${t('shell.access.also')}</h3>
            ${rest.map(line)}`
        : nothing
    }
    ${
      changes.length
        ? html`<h3>${t('shell.access.changes')}</h3>
            <ul class="changes">
              ${changes.map(({ text }) => html`<li>${icon('arrow-right')}<span>${text}</span></li>`)}
            </ul>`
        : nothing
    }`
}

function line({ text, because }: Line): TemplateResult {
  return html`<p>${text}</p>
    ${conditionLines(because, (result) => t(result ? 'shell.access.met' : 'shell.access.notMet'))}`
}

export const verdictStyles = css`
  .answer {
    display: grid;
    gap: 8px;
    overflow-wrap: anywhere;
  }
  .answer h2 {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
  }
  .answer h3 {
    margin-block-start: 8px;
    font: var(--socle-small);
    font-weight: 600;
  }
  .changes li {
    display: flex;
    gap: 8px;
    padding-block: 2px;
  }
  .tree {
    margin-inline-start: 12px;
    padding-inline-start: 12px;
    border-inline-start: 2px solid var(--socle-line);
    font: var(--socle-small);
  }
`
