import { icon, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'

interface Counts {
  /** `3 records done` */
  readonly done: string
  readonly skipped: number
  readonly failed: number
}

interface Refused {
  readonly href: string
  readonly title: string
  readonly detail: string
}

/** What came of a change of many records: how many, and which were refused and why. */
export function resultTemplate({ done, skipped, failed }: Counts, refused: readonly Refused[], followed: () => void) {
  return html`
    <ul class="result" role="status">
      <li class="ok">${icon('circle-check')}${done}</li>
      ${skipped ? html`<li>${icon('minus')}${t('shell.records.bulk.skipped', { count: skipped })}</li>` : nothing}
      ${
        failed
          ? html`<li class="bad" id="refused">
              ${icon('circle-alert')}${t('shell.records.bulk.failed', { count: failed })}
            </li>`
          : nothing
      }
    </ul>
    ${
      refused.length
        ? html`<ul class="failures" tabindex="0" aria-labelledby="refused">
            ${refused.map(
              ({ href, title, detail }) =>
                html`<li>
                  <a class="link" href=${href} @click=${followed}>${title}</a>
                  <span class="error">${detail}</span>
                </li>`,
            )}
          </ul>`
        : nothing
    }
  `
}

/** What the dialogs of a change of many records have in common. */
export const bulkStyles = css`
  .form {
    display: grid;
    gap: 16px;
  }
  .form label {
    display: grid;
    gap: 4px;
  }
  .preview {
    margin: 0;
    padding: 10px 12px;
    border-radius: 8px;
    background: var(--socle-page);
    color: var(--socle-text-2);
  }
  progress {
    inline-size: 100%;
    accent-color: var(--socle-accent);
  }
  .result {
    display: grid;
    gap: 6px;
    margin: 0;
  }
  .result li {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  .ok {
    color: var(--socle-success);
  }
  .bad {
    color: var(--socle-danger);
  }
  .file {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    margin-block-start: 12px;
    font: var(--socle-small);
  }
  .failures {
    max-block-size: 240px;
    margin-block-start: 12px;
    overflow: auto;
    border: 1px solid var(--socle-line);
    border-radius: 8px;
  }
  .failures li {
    display: grid;
    gap: 2px;
    padding: 8px 12px;
  }
  .failures li + li {
    border-block-start: 1px solid var(--socle-line);
  }
  .sample {
    max-block-size: 280px;
    overflow: auto;
    border: 1px solid var(--socle-line);
    border-radius: 8px;
  }
  .sample li {
    display: grid;
    gap: 2px;
    padding: 8px 12px;
    font: var(--socle-small);
  }
  .sample li + li {
    border-block-start: 1px solid var(--socle-line);
  }
  .sample b {
    font-weight: 600;
  }
`
