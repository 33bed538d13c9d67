import { css } from 'lit'

/** The frame of a page that scrolls by itself, under the top bar. */
export const pageStyles = css`
  :host {
    display: flex;
    flex: 1;
    flex-direction: column;
    min-block-size: 0;
    min-inline-size: 0;
    background: var(--socle-surface);
  }
  :host > socle-empty {
    margin: auto;
  }
  .page {
    display: grid;
    flex: 1;
    grid-auto-rows: max-content;
    align-content: start;
    gap: 16px;
    min-block-size: 0;
    padding: 16px 24px 24px;
    overflow: auto;
    scrollbar-width: thin;
  }
  .page > * {
    min-inline-size: 0;
  }
  @media (max-width: 599.98px) {
    .page {
      padding: 12px 16px 16px;
    }
  }
`
