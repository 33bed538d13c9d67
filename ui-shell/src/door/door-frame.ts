import { t } from '@socle/sdk/ui'
import type { Locale } from '@socle/sdk/ui'
import { css, html } from 'lit'
import type { TemplateResult } from 'lit'
import { earlyLocale, loadEarlyWords } from '../session-doc.ts'

export interface DoorPage {
  readonly heading: string
  readonly lead: string
  readonly body: unknown
  /** What to do when it does not open. */
  readonly help?: unknown
  /** Called when the visitor chose another language. */
  readonly onSpoken: () => void
}

/** The frame of every page before somebody is in: one card, and the visitor's language at the foot. */
export function doorFrame({ heading, lead, body, help, onSpoken }: DoorPage): TemplateResult {
  const speak = async (locale: Locale) => {
    await loadEarlyWords(locale)
    onSpoken()
  }
  return html`
    <main>
      <div class="brand" aria-hidden="true">
        <svg viewBox="0 0 24 24"><path d="M6 16h12M8 12h8M10 8h4" /></svg>
      </div>
      <h1 tabindex="-1">${heading}</h1>
      <p class="lead">${lead}</p>
      ${body} ${help ? html`<p class="meta">${help}</p>` : ''}
    </main>
    <footer>
      <div role="group" aria-label=${t('shell.profile.language')}>
        ${(['en', 'fr'] as const).map(
          (locale) => html`
            <button lang=${locale} aria-pressed=${earlyLocale() === locale} @click=${() => void speak(locale)}>
              ${locale === 'en' ? 'English' : 'Français'}
            </button>
          `,
        )}
      </div>
    </footer>
  `
}

export const doorStyles = css`
  :host {
    display: grid;
    grid-template-rows: 1fr auto;
    justify-items: center;
    block-size: 100dvh;
    overflow: auto;
    padding: 24px 16px;
    background: var(--socle-page);
  }
  main {
    align-self: center;
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 4px;
    inline-size: min(380px, 100%);
    padding: 32px;
    border: 1px solid var(--socle-line);
    border-radius: 12px;
    background: var(--socle-surface);
  }
  .brand {
    display: grid;
    place-items: center;
    inline-size: 40px;
    block-size: 40px;
    margin-block-end: 16px;
    border-radius: 10px;
    background: var(--socle-accent);
  }
  .brand svg {
    inline-size: 28px;
    fill: none;
    stroke: var(--socle-on-accent);
    stroke-width: 2.2;
    stroke-linecap: round;
  }
  h1 {
    font: var(--socle-heading);
    font-weight: 600;
  }
  .lead {
    color: var(--socle-text-2);
    overflow-wrap: anywhere;
  }
  form,
  .steps {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 16px;
    margin-block: 24px 16px;
  }
  .field {
    display: grid;
    gap: 6px;
  }
  .input {
    min-block-size: 40px;
  }
  .button {
    min-block-size: 40px;
  }
  .secret {
    position: relative;
  }
  .secret .input {
    padding-inline-end: 44px;
  }
  .secret .icon-button {
    position: absolute;
    inset-block: 4px;
    inset-inline-end: 4px;
    inline-size: 32px;
    min-block-size: 32px;
  }
  .secret [aria-pressed='true'] {
    color: var(--socle-accent);
  }
  .or {
    display: grid;
    grid-template-columns: 1fr auto 1fr;
    align-items: center;
    gap: 12px;
    color: var(--socle-text-3);
    font: var(--socle-small);
  }
  .or::before,
  .or::after {
    content: '';
    border-block-start: 1px solid var(--socle-line);
  }
  main > .or {
    margin-block-end: 12px;
  }
  .code {
    font-size: 20px;
    letter-spacing: 0.2em;
    text-align: center;
    font-variant-numeric: tabular-nums;
  }
  .code.words {
    font-size: 16px;
    letter-spacing: 0.04em;
  }
  footer {
    padding-block-start: 16px;
  }
  footer button {
    min-block-size: 32px;
    padding: 0 10px;
    border: 0;
    border-radius: 6px;
    background: none;
    color: var(--socle-text-3);
    font: var(--socle-small);
    cursor: pointer;
  }
  footer button[aria-pressed='true'] {
    color: var(--socle-text);
    font-weight: 500;
  }
  @media (width < 600px) {
    main {
      padding: 24px 20px;
    }
  }
`
