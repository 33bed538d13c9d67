import { css } from 'lit'

export const tableStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    position: relative;
    min-inline-size: 0;
    min-block-size: 0;
    block-size: 100%;
    font: var(--socle-small);
    background: var(--socle-surface);
  }

  .probe {
    position: absolute;
    inline-size: 0;
    block-size: var(--socle-row);
    visibility: hidden;
  }

  .grid {
    flex: 1;
    min-block-size: 0;
    overflow: auto;
    overscroll-behavior: contain;
    contain: strict;
    /* The pinned column and the head must not cover what the keyboard scrolled to. */
    scroll-padding-block-start: 32px;
  }

  .grid.wide {
    scroll-snap-type: x proximity;
    scroll-padding-inline-start: var(--beside);
  }

  .wide .head {
    scroll-snap-align: start;
  }

  .grid:not(.wide) {
    overflow-x: clip;
  }

  .row {
    display: grid;
    grid-template-rows: 100%;
    grid-template-columns: var(--columns);
    min-inline-size: max-content;
    block-size: var(--socle-row);
    background: var(--socle-surface);
    border-block-end: 1px solid var(--socle-line);
  }

  .body {
    position: relative;
    min-inline-size: max-content;
  }

  .body > .row {
    position: absolute;
    inset: 0 auto auto 0;
    inline-size: 100%;
    contain: layout style;
    cursor: default;
  }

  .body > .row:hover {
    background: var(--socle-page);
  }

  .body > .row[aria-selected='true'],
  .body > .row.current {
    background: var(--socle-accent-bg);
  }

  /* On the accent paper a pill of the same colour would melt away. */
  .row[aria-selected='true'] .pill,
  .row[aria-selected='true'] .avatar,
  .row.current .pill,
  .row.current .avatar {
    background: var(--socle-surface);
  }

  .row.current .cell.title {
    box-shadow: inset 2px 0 var(--socle-accent);
  }

  .row.current .cell.check {
    box-shadow: inset 2px 0 var(--socle-accent);
  }

  .row.current .cell.check + .cell.title {
    box-shadow: none;
  }

  .row:focus-visible {
    outline-offset: -2px;
    z-index: 1;
  }

  /* Over the pinned cells, which an outline of the row would run under. */
  .body > .row:focus-visible::after {
    content: '';
    position: absolute;
    inset: 0;
    z-index: 3;
    border: 2px solid var(--socle-accent);
    pointer-events: none;
  }

  .stale {
    opacity: 0.6;
  }

  .cell,
  .head {
    display: flex;
    align-items: center;
    gap: 6px;
    min-inline-size: 0;
    padding: 0 12px;
    color: var(--socle-text-2);
    white-space: nowrap;
    overflow: hidden;
    background: inherit;
  }

  .text {
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
  }

  .cell .person {
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
  }

  .cell.number {
    justify-content: flex-end;
    color: var(--socle-text);
  }

  .cell.title {
    font-weight: 600;
    color: var(--socle-text);
  }

  .cell.title a {
    color: inherit;
    text-decoration: none;
  }

  .cell.title a:hover {
    text-decoration: underline;
    text-decoration-color: var(--socle-control);
    text-underline-offset: 3px;
  }

  .check {
    position: sticky;
    inset-inline-start: 0;
    z-index: 2;
    justify-content: center;
    padding: 0 0 0 4px;
    overflow: visible;
  }

  .title {
    position: sticky;
    inset-inline-start: var(--pinned);
    z-index: 2;
  }

  .check + .title {
    padding-inline-start: 8px;
  }

  .scrolled .cell.title,
  .scrolled .head.title {
    border-inline-end: 1px solid var(--socle-line);
  }

  /* 24 px target around a 16 px box. */
  .check label {
    display: grid;
    place-items: center;
    inline-size: 28px;
    block-size: 28px;
    cursor: pointer;
  }

  .cell:focus-visible {
    outline-offset: -2px;
  }

  .cell:not(.editing).waiting {
    opacity: 0.6;
  }

  .cell.failed {
    color: var(--socle-danger);
    box-shadow: inset 0 0 0 1px var(--socle-danger);
  }

  .cell.editing {
    position: relative;
    z-index: 6;
    padding: 0;
    overflow: visible;
  }

  /* The refusal under the cell must not leave the table. */
  .late socle-field {
    --socle-error-start: auto;
    --socle-error-end: 0;
  }

  .cell.title.editing {
    position: sticky;
  }

  .row:has(.editing) {
    z-index: 5;
    contain: none;
  }

  .cell.editing socle-field {
    --socle-wide-position: absolute;
    --socle-wide-size: max(100%, min(480px, 90vw));
    flex: 1;
    min-inline-size: 0;
  }

  .headrow {
    position: sticky;
    inset-block-start: 0;
    z-index: 7;
    block-size: 32px;
  }

  .head {
    padding: 0 4px;
    font-weight: 500;
  }

  .head.check {
    padding: 0 0 0 4px;
  }

  .head button,
  .head .plain {
    display: inline-flex;
    align-items: center;
    gap: 4px;
    min-inline-size: 0;
    block-size: 24px;
    padding: 0 8px;
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    border-radius: 4px;
  }

  .head button {
    cursor: pointer;
  }

  .head button:hover {
    color: var(--socle-text);
    background: var(--socle-muted);
  }

  .head button:focus-visible {
    outline-offset: -2px;
  }

  .check + .head.title {
    padding-inline-start: 0;
  }

  .head.number {
    justify-content: flex-end;
  }

  .head .icon {
    inline-size: 12px;
    block-size: 12px;
  }

  .head .sorted {
    color: var(--socle-text);
  }

  .gaveway {
    position: absolute;
    inset-block-start: 4px;
    inset-inline-end: 6px;
    z-index: 8;
    min-block-size: 24px;
    padding: 0 7px;
    font: var(--socle-meta);
    font-weight: 500;
    color: var(--socle-text-2);
  }

  .blank {
    inline-size: 62%;
    block-size: 10px;
    background: var(--socle-muted);
    border-radius: 4px;
  }

  .row:nth-child(3n) .blank {
    inline-size: 44%;
  }

  .skeleton {
    animation: appear 1ms 150ms both;
  }

  .skeleton .row {
    position: static;
  }

  .slow {
    position: absolute;
    inset: auto auto 12px 16px;
    animation: appear 1ms 1s both;
  }

  .none {
    overflow: auto;
  }

  @keyframes appear {
    from {
      opacity: 0;
    }
  }

  /* Cards */

  .cards {
    padding: 8px 12px 24px;
    background: var(--socle-page);
    scroll-padding-block-start: 0;
    overflow-x: clip;
  }

  .cards .row.headrow {
    display: none;
  }

  .cards .body,
  .cards .row {
    min-inline-size: 0;
  }

  .cards .row {
    display: flex;
    flex-direction: column;
    block-size: auto;
    background: none;
    border: 0;
    padding-block-end: 8px;
  }

  .cards .body > .row:hover,
  .cards .body > .row[aria-selected='true'],
  .cards .body > .row.current {
    background: none;
  }

  .face {
    display: flex;
    flex-direction: column;
    gap: 6px;
    padding: 10px 12px;
    font: var(--socle-small);
    background: var(--socle-surface);
    border: 1px solid var(--socle-line);
    border-radius: var(--socle-radius-card);
  }

  .row[aria-selected='true'] .face,
  .row.current .face {
    background: var(--socle-accent-bg);
    border-color: var(--socle-accent);
  }

  .cards .row:focus-visible {
    outline: none;
  }

  .cards .row:focus-visible::after {
    display: none;
  }

  .cards .row:focus-visible .face {
    outline: 2px solid var(--socle-accent);
    outline-offset: -1px;
  }

  .line {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 8px;
  }

  .line > .end {
    margin-inline-start: auto;
  }

  .face .cell {
    display: inline-flex;
    position: static;
    padding: 0;
    overflow: visible;
    white-space: normal;
    background: none;
    box-shadow: none !important;
  }

  .face .cell.title {
    flex: 1 1 60%;
    font: var(--socle-body);
    font-weight: 600;
    overflow-wrap: anywhere;
  }

  .face .cell.number {
    font-weight: 600;
    white-space: nowrap;
  }

  .face .cell.quiet {
    color: var(--socle-text-2);
    overflow-wrap: anywhere;
  }

  .face .check {
    margin: -6px 0 -6px -8px;
  }

  /* After, not before: where the line breaks, none stands alone at the start of the next. */
  .dotted:not(:last-child)::after {
    content: '·';
    color: var(--socle-text-3);
  }

  @media (forced-colors: active) {
    .row[aria-selected='true'] .cell,
    .row.current .cell {
      text-decoration: underline;
    }
  }
`
