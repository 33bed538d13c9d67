import { css } from 'lit'

/** Rows of events and of deliveries: a line that opens, and below it what there is to know and to do. */
export const eventStyles = css`
  .rows > li {
    display: grid;
    gap: 4px;
    min-inline-size: 0;
    padding-block: 10px;
  }
  details {
    min-inline-size: 0;
  }
  summary {
    display: flex;
    align-items: center;
    gap: 10px;
    border-radius: 6px;
    list-style: none;
    cursor: pointer;
  }
  summary::-webkit-details-marker {
    display: none;
  }
  summary > .icon {
    color: var(--socle-text-3);
  }
  details[open] > summary > .icon {
    transform: rotate(90deg);
  }
  .sign {
    display: grid;
    place-items: center;
    flex: none;
    inline-size: 24px;
    block-size: 24px;
    border: 1px solid var(--socle-line);
    border-radius: 50%;
    color: var(--socle-text-2);
  }
  .sign .icon {
    inline-size: 13px;
    block-size: 13px;
  }
  shell-event-payload {
    margin: 8px 0 4px 60px;
  }
  .facts {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 16px;
    margin-inline-start: 60px;
    font: var(--socle-small);
    color: var(--socle-text-2);
    overflow-wrap: anywhere;
  }
  .facts > .link {
    color: var(--socle-text);
  }
  .told {
    display: inline-flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 6px;
  }
  .more {
    display: grid;
    justify-items: center;
    padding: 16px;
  }
  @media (width < 600px) {
    summary > .icon {
      display: none;
    }
    shell-event-payload,
    .facts {
      margin-inline-start: 0;
    }
    .facts {
      padding-inline-start: 34px;
    }
  }
`
