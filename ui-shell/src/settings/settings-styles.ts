import { css } from 'lit'

/** What the settings pages share beside the kit's controls. */
export const settingsStyles = css`
  :host {
    display: block;
  }
  .lead {
    max-inline-size: 680px;
    margin-block-end: 16px;
    color: var(--socle-text-2);
  }
  .rows {
    border: 1px solid var(--socle-line);
    border-radius: var(--socle-radius-card);
    background: var(--socle-surface);
  }
  .rows > li {
    display: flex;
    align-items: center;
    gap: 12px;
    min-block-size: 52px;
    padding: 8px 12px 8px 16px;
    border-block-end: 1px solid var(--socle-line);
  }
  .rows > li:last-child {
    border: 0;
  }
  .grow {
    flex: 1;
    min-inline-size: 0;
  }
  .name {
    display: block;
    font-weight: 500;
    overflow-wrap: anywhere;
  }
  .name + .meta {
    display: block;
    overflow-wrap: anywhere;
  }
  a.name {
    color: inherit;
    text-decoration: none;
  }
  a.name:hover {
    color: var(--socle-accent);
  }
  .pills {
    display: flex;
    flex-wrap: wrap;
    gap: 4px;
  }
  .form {
    display: grid;
    gap: 16px;
  }
  .field {
    display: grid;
    gap: 6px;
    min-inline-size: 0;
  }
  .checks {
    display: grid;
    gap: 2px;
    max-block-size: 224px;
    overflow: auto;
    padding: 6px 8px;
    border: 1px solid var(--socle-control);
    border-radius: var(--socle-radius);
  }
  .checks label {
    display: flex;
    align-items: center;
    gap: 8px;
    min-block-size: 28px;
    font: var(--socle-small);
  }
  fieldset {
    min-inline-size: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    padding: 0 0 6px;
  }
  .condition textarea {
    block-size: auto;
    padding-block: 6px;
    font:
      13px/20px ui-monospace,
      monospace;
    resize: vertical;
  }
  .condition summary {
    display: flex;
    align-items: center;
    gap: 4px;
    list-style: none;
    font: var(--socle-small);
    color: var(--socle-text-2);
    cursor: pointer;
  }
  .condition summary::-webkit-details-marker {
    display: none;
  }
  .condition [open] > summary > .icon {
    transform: rotate(90deg);
  }
  .condition ul {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    max-block-size: 160px;
    margin-block-start: 6px;
    overflow: auto;
  }
  .secret {
    display: flex;
    gap: 8px;
    align-items: center;
  }
  .secret code {
    flex: 1;
    min-inline-size: 0;
    padding: 8px 12px;
    border: 1px solid var(--socle-line);
    border-radius: var(--socle-radius);
    background: var(--socle-page);
    font:
      13px/20px ui-monospace,
      monospace;
    overflow-wrap: anywhere;
    user-select: all;
  }
  .wait {
    padding: 16px;
  }
  @media (width < 600px) {
    .rows > li {
      flex-wrap: wrap;
    }
  }
`
