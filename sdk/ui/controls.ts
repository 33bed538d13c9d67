import { css } from 'lit'

/** Styles of buttons, pills, inputs, … for use inside shadow roots: `static override styles = [controls, css…]`. */
export const controls = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :host {
    font: var(--socle-body);
    color: var(--socle-text);
  }

  :host([hidden]),
  [hidden] {
    display: none !important;
  }

  /* Elements that are still on their way hold their place, unless they float. */
  :not(:defined) {
    visibility: hidden;
  }

  socle-field:not(:defined):not([inline]) {
    display: block;
    block-size: 54px;
  }

  socle-bar-chart:not(:defined) {
    display: block;
    block-size: 148px;
  }

  socle-dialog:not(:defined),
  socle-panel:not(:defined) {
    display: none;
  }

  /* Of a date the focus may be on its picker, which is the field's own. */
  :focus-visible,
  input[type='date']:focus-within {
    outline: 2px solid var(--socle-accent);
    outline-offset: 2px;
  }

  :focus:not(:focus-visible, input[type='date']) {
    outline: none;
  }

  h1,
  h2,
  h3 {
    margin: 0;
    font: var(--socle-title);
    font-weight: 600;
  }

  p,
  ul,
  ol,
  dl,
  dd,
  figure {
    margin: 0;
    padding: 0;
  }

  ul,
  ol {
    list-style: none;
  }

  .icon {
    flex: none;
    inline-size: 16px;
    block-size: 16px;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .button,
  .icon-button {
    display: inline-flex;
    flex: none;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-block-size: var(--socle-control-height);
    margin: 0;
    padding: 0 12px;
    font: var(--socle-body);
    font-weight: 500;
    color: var(--socle-text);
    white-space: nowrap;
    text-decoration: none;
    background: var(--socle-surface);
    border: 1px solid var(--socle-line);
    border-radius: var(--socle-radius);
    cursor: pointer;
    user-select: none;
    transition:
      opacity var(--socle-motion),
      transform var(--socle-motion);
  }

  .button:hover,
  .icon-button:hover {
    background: var(--socle-page);
  }

  .button:active,
  .icon-button:active {
    transform: translateY(0.5px);
  }

  .button.primary {
    color: var(--socle-surface);
    background: var(--socle-text);
    border-color: var(--socle-text);
  }

  .button.primary:hover {
    opacity: 0.88;
  }

  .button.danger {
    color: var(--socle-surface);
    background: var(--socle-danger);
    border-color: var(--socle-danger);
  }

  .button.danger:hover {
    opacity: 0.88;
  }

  .button.ghost,
  .icon-button {
    color: var(--socle-text-2);
    background: transparent;
    border-color: transparent;
  }

  .button.ghost:hover,
  .icon-button:hover {
    color: var(--socle-text);
    background: var(--socle-muted);
  }

  .button.small {
    min-block-size: var(--socle-bar-control-height);
    padding: 0 8px;
    font: var(--socle-small);
    font-weight: 500;
    color: var(--socle-text-2);
  }

  .button.small.on,
  .button[aria-pressed='true'] {
    color: var(--socle-accent);
    background: var(--socle-accent-bg);
    border-color: transparent;
  }

  .icon-button {
    inline-size: var(--socle-bar-control-height);
    min-block-size: var(--socle-bar-control-height);
    padding: 0;
  }

  .button:disabled,
  .icon-button:disabled,
  .button[aria-disabled='true'],
  .icon-button[aria-disabled='true'] {
    color: var(--socle-text-3);
    background: var(--socle-muted);
    border-color: transparent;
    opacity: 1;
    cursor: not-allowed;
  }

  .icon-button:disabled,
  .icon-button[aria-disabled='true'] {
    background: transparent;
    opacity: 0.5;
  }

  .button .kbd,
  .kbd {
    display: inline-block;
    padding: 0 5px;
    font: var(--socle-meta);
    color: var(--socle-text-3);
    background: var(--socle-surface);
    border: 1px solid var(--socle-line);
    border-radius: 4px;
  }

  .segments {
    display: inline-flex;
    border: 1px solid var(--socle-line);
    border-radius: var(--socle-radius);
    overflow: clip;
  }

  .segments > .button {
    border: 0;
    border-radius: 0;
    min-block-size: calc(var(--socle-bar-control-height) - 2px);
  }

  .segments > .button[aria-pressed='true'],
  .segments > .button[aria-current] {
    color: var(--socle-text);
    background: var(--socle-muted);
  }

  .segments > .button:focus-visible {
    outline-offset: -2px;
  }

  .pill {
    display: inline-flex;
    flex: none;
    align-items: center;
    gap: 4px;
    block-size: 20px;
    padding: 0 7px;
    font: var(--socle-meta);
    font-weight: 500;
    color: var(--socle-text-2);
    white-space: nowrap;
    vertical-align: middle;
    background: var(--socle-muted);
    border-radius: 10px;
  }

  .pill .icon {
    inline-size: 12px;
    block-size: 12px;
    stroke-width: 2;
  }

  .masked {
    color: var(--socle-text-3);
    white-space: nowrap;
  }

  .masked .icon {
    inline-size: 12px;
    block-size: 12px;
    margin-inline-end: 4px;
    vertical-align: -1px;
  }

  .pill .dot {
    inline-size: 6px;
    block-size: 6px;
    background: currentColor;
    border-radius: 50%;
  }

  .pill.accent {
    color: var(--socle-accent);
    background: var(--socle-accent-bg);
  }

  .pill.success {
    color: var(--socle-success);
    background: var(--socle-success-bg);
  }

  .pill.warning {
    color: var(--socle-warning);
    background: var(--socle-warning-bg);
  }

  .pill.danger {
    color: var(--socle-danger);
    background: var(--socle-danger-bg);
  }

  .pill.info {
    color: var(--socle-info);
    background: var(--socle-info-bg);
  }

  .input {
    display: block;
    inline-size: 100%;
    min-block-size: var(--socle-control-height);
    margin: 0;
    padding: 5px 9px;
    font: var(--socle-body);
    color: var(--socle-text);
    background: var(--socle-surface);
    border: 1px solid var(--socle-control);
    border-radius: var(--socle-radius);
  }

  .input::placeholder {
    color: var(--socle-text-3);
    opacity: 1;
  }

  .input:focus-visible {
    outline-offset: -1px;
  }

  .input[aria-invalid='true'] {
    border-color: var(--socle-danger);
  }

  .input:disabled,
  .input[readonly] {
    color: var(--socle-text-2);
    background: var(--socle-muted);
    border-color: transparent;
  }

  textarea.input {
    min-block-size: 72px;
    field-sizing: content;
    resize: vertical;
  }

  select.input {
    padding-inline-end: 28px;
    appearance: none;
    background-image:
      linear-gradient(45deg, transparent 43%, var(--socle-text-2) 43% 57%, transparent 57%),
      linear-gradient(-45deg, transparent 43%, var(--socle-text-2) 43% 57%, transparent 57%);
    background-repeat: no-repeat;
    background-position:
      right 15px center,
      right 10px center;
    background-size: 5px 5px;
  }

  input[type='checkbox'] {
    appearance: none;
    position: relative;
    flex: none;
    inline-size: 16px;
    block-size: 16px;
    margin: 0;
    vertical-align: middle;
    background: var(--socle-surface);
    border: 1px solid var(--socle-control);
    border-radius: 4px;
    cursor: pointer;
  }

  input[type='checkbox']:checked,
  input[type='checkbox']:indeterminate {
    background: var(--socle-accent);
    border-color: var(--socle-accent);
  }

  input[type='checkbox']:checked::after {
    content: '';
    position: absolute;
    inset: 1px 4.5px 3.5px;
    border: solid var(--socle-on-accent);
    border-width: 0 2px 2px 0;
    transform: rotate(42deg);
  }

  input[type='checkbox']:indeterminate::after {
    content: '';
    position: absolute;
    inset: 6px 3px;
    background: var(--socle-on-accent);
  }

  .label {
    display: block;
    font: var(--socle-small);
    font-weight: 500;
    color: var(--socle-text);
  }

  .error {
    font: var(--socle-meta);
    color: var(--socle-danger);
  }

  .link {
    color: inherit;
    text-decoration: underline;
    text-decoration-color: var(--socle-line);
    text-decoration-thickness: 1px;
    text-underline-offset: 3px;
  }

  .link:hover {
    color: var(--socle-accent);
    text-decoration-color: currentColor;
  }

  .meta {
    font: var(--socle-meta);
    color: var(--socle-text-3);
  }

  .small {
    font-size: 13px;
    line-height: 18px;
  }

  .number {
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }

  .card {
    background: var(--socle-surface);
    border: 1px solid var(--socle-line);
    border-radius: var(--socle-radius-card);
  }

  .avatar {
    display: inline-flex;
    flex: none;
    align-items: center;
    justify-content: center;
    inline-size: 20px;
    block-size: 20px;
    font: 600 9px/1 var(--socle-font);
    letter-spacing: 0.01em;
    color: var(--socle-accent);
    vertical-align: middle;
    background: var(--socle-accent-bg);
    border-radius: 50%;
    user-select: none;
  }

  /* What went wrong, where it went wrong; and what to know about what is shown. */
  .problem,
  .notice {
    display: flex;
    gap: 8px;
    font: var(--socle-small);
  }

  .problem {
    padding: 10px 12px;
    color: var(--socle-danger);
    background: var(--socle-danger-bg);
    border-radius: 8px;
  }

  .problem .icon {
    margin-block-start: 2px;
  }

  .notice {
    align-items: center;
    padding: 6px 16px;
    color: var(--socle-warning);
    background: var(--socle-warning-bg);
  }

  .notice span {
    flex: 1;
    min-inline-size: 0;
  }

  .notice .meta {
    color: inherit;
  }

  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    margin: -1px;
    padding: 0;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
    border: 0;
  }

  /* In a phone's width, or 400 % zoom, words go on below rather than past the edge. */
  @media (width < 600px) {
    .button {
      max-inline-size: 100%;
      white-space: normal;
    }
  }

  @media (pointer: coarse) {
    .button,
    .icon-button,
    .input {
      min-block-size: var(--socle-touch);
    }

    .icon-button {
      inline-size: var(--socle-touch);
    }
  }

  @media (forced-colors: active) {
    .pill,
    .avatar {
      border: 1px solid;
    }

    .button.primary,
    .button.danger {
      forced-color-adjust: none;
      color: Canvas;
      background: CanvasText;
      border-color: CanvasText;
    }

    input[type='checkbox'] {
      appearance: auto;
    }

    input[type='checkbox']::after {
      content: none;
    }
  }
`
