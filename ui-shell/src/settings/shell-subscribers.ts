import { KitElement, controls, format, icon, may, pill, resource, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { define } from '../define.ts'
import { askWith } from '../records/question-dialog.ts'
import { fieldOf } from '../records/resources.ts'
import { eventsHref, openStates } from './event-api.ts'
import type { Hearing, Subscriber } from './event-api.ts'
import { counted, happened, pluginTitle, subscriberName } from './event-words.ts'
import { settingsStyles } from './settings-styles.ts'
import { ShellReplayDialog } from './shell-replay-dialog.ts'

/**
 * Which module hears what, how far behind it is, and what happens while it is off or after it failed; past events are told again
 * from here, and those that still hear an earlier version of an event stand at the end.
 *
 * @fires changed - past events were told again
 */
export class ShellSubscribers extends KitElement {
  static override properties = { hearing: { attribute: false } }
  declare hearing: Hearing

  override render() {
    const { subscribers } = this.hearing
    if (subscribers.length === 0) {
      return html`<socle-empty
        icon="activity"
        heading=${t('shell.events.nobody')}
        text=${t('shell.events.nobodyText')}
      ></socle-empty>`
    }
    return html`
      ${this.#outdated()}
      ${[...Map.groupBy(subscribers, ({ plugin }) => plugin)]
        // The platform's own last: nobody chose them.
        .toSorted(([a], [b]) => Number(a === 'core') - Number(b === 'core'))
        .map(([plugin, own]) => this.#plugin(plugin, own))}
    `
  }

  #plugin(plugin: string, own: readonly Subscriber[]) {
    const isOn = own.some(({ enabled }) => enabled)
    return html`<section aria-labelledby="p-${plugin}">
      <h2 id="p-${plugin}">
        ${pluginTitle(plugin)}
        ${
          plugin === 'core'
            ? nothing
            : isOn
              ? pill(t('shell.modules.on'), 'success', 'check')
              : pill(t('shell.modules.off'), 'neutral', 'minus')
        }
      </h2>
      <ul class="rows">
        ${own.map((it) => this.#subscriber(it))}
      </ul>
    </section>`
  }

  #subscriber(it: Subscriber) {
    const open = openStates.filter((state) => it[state] > 0)
    return html`<li>
      <div class="grow">
        <span class="name">${happened(it.event)}</span>
        <span class="meta"
          >${it.id} ·
          ${it.version === null ? t('shell.events.anyVersion') : t('shell.events.version', { version: it.version })}</span
        >
        <p class="rules">
          ${it.changed ? html`<span>${t('shell.events.onlyChanged', { fields: fieldNames(it) })}</span>` : nothing}
          ${it.plugin === 'core' ? nothing : html`<span>${t(`shell.events.whileDisabled.${it.whileDisabled}`)}</span>`}
          <span>${t(`shell.events.afterDeadLetter.${it.afterDeadLetter}`)}</span>
        </p>
        <p class="counts">
          ${
            open.length === 0
              ? pill(t('shell.events.allDelivered'), 'success', 'circle-check')
              : open.map(
                  (state) =>
                    html`<a class="link" href=${eventsHref({ view: 'failed', state, subscription: it.id })}
                      >${t(`shell.events.count.${state}`, { count: it[state], counted: counted(it[state]) })}</a
                    >`,
                )
          }
        </p>
      </div>
      ${
        may('core.event.replay')
          ? html`<button
              class="button small"
              aria-label=${t('shell.events.replayOf', { who: it.id })}
              @click=${() => void this.#replay(it)}
            >
              ${icon('history')}${t('shell.events.replay')}
            </button>`
          : nothing
      }
    </li>`
  }

  /** Who still hears a version beside which a later one is told, and should move on. */
  #outdated() {
    const outdated = this.hearing.kinds.filter((it) => it.outdated)
    if (outdated.length === 0) return nothing
    const latest = (name: string) =>
      Math.max(...this.hearing.kinds.filter((it) => it.name === name).map(({ version }) => version))
    return html`<section aria-labelledby="outdated">
      <h2 id="outdated">${t('shell.events.outdated')}</h2>
      <p class="meta lead">${t('shell.events.outdatedText')}</p>
      <ul class="rows outdated">
        ${outdated.map(
          ({ name, version, heardBy }) =>
            html`<li>
              <div class="grow">
                <span class="name">${happened(name)}</span>
                <span class="meta" title="${name}@${version}"
                  >${t('shell.events.version', { version })} ·
                  ${t('shell.events.newer', { version: latest(name) })}</span
                >
              </div>
              ${
                heardBy.length > 0
                  ? pill(
                      t('shell.events.stillHeard', { list: format.list(heardBy.map(subscriberName)) }),
                      'warning',
                      'triangle-alert',
                    )
                  : pill(t('shell.events.heardNoMore'), 'success', 'check')
              }
            </li>`,
        )}
      </ul>
    </section>`
  }

  async #replay({ id, event }: Subscriber): Promise<void> {
    const question = { subscription: id, who: subscriberName(id), what: happened(event) }
    await askWith('shell-replay-dialog', ShellReplayDialog, question)
    this.dispatchEvent(new CustomEvent('changed'))
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      section {
        margin-block-end: 24px;
      }
      h2 {
        display: flex;
        align-items: center;
        gap: 8px;
        margin-block-end: 8px;
      }
      .lead {
        margin-block-end: 8px;
      }
      .rows > li {
        align-items: start;
      }
      .outdated > li {
        flex-wrap: wrap;
      }
      .outdated .grow {
        flex-basis: 240px;
      }
      .rules,
      .counts {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 16px;
        margin-block-start: 4px;
        font: var(--socle-small);
        color: var(--socle-text-2);
      }
      .pill {
        block-size: auto;
        min-block-size: 20px;
        white-space: normal;
      }
    `,
  ]
}

/** Fields without which a change does not reach it, as their labels. */
function fieldNames({ event, changed }: Subscriber): string {
  const meta = resource(event.slice(0, event.lastIndexOf('.')))
  return format.list((changed ?? []).map((name) => (meta && fieldOf(meta, name)?.label) ?? name))
}

define('shell-subscribers', ShellSubscribers)
