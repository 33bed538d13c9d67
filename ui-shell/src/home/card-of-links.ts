import { css } from 'lit'

/** A card of the home page that is a list of places to go to. */
export const cardOfLinks = css`
  :host {
    display: block;
  }
  h2 {
    display: flex;
    align-items: center;
    min-block-size: 44px;
    padding: 6px 16px;
    border-block-end: 1px solid var(--socle-line);
    font: var(--socle-body);
    font-weight: 600;
  }
  a {
    display: flex;
    align-items: center;
    gap: 10px;
    min-block-size: 40px;
    padding: 4px 16px;
    border-block-end: 1px solid var(--socle-line);
    color: inherit;
    text-decoration: none;
  }
  li:last-child a {
    border: 0;
  }
  a:hover {
    background: var(--socle-page);
  }
  a:focus-visible {
    outline-offset: -2px;
  }
  a > .icon {
    color: var(--socle-text-3);
  }
  .title {
    flex: 1;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .meta {
    white-space: nowrap;
  }
`
