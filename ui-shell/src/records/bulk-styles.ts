import { css } from 'lit'

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
  .change {
    display: inline-flex;
    flex-wrap: wrap;
    gap: 2px 6px;
    overflow-wrap: anywhere;
  }
  .what,
  .old,
  .to,
  .none {
    color: var(--socle-text-2);
  }
`
