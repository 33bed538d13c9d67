import { KitElement, controls, t } from '@socle/sdk/ui'
import { css, html } from 'lit'
import { preferences } from './preferences.ts'
import { shortcuts } from './shortcuts.ts'

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** Keys the list and record screens answer to; they stand here also while such a screen is not open. */
const screenKeys: readonly (readonly [keys: string, word: string])[] = [
  ['/', 'filter'],
  ['j / k', 'rows'],
  ['x', 'select'],
  ['Space', 'peek'],
  ['Enter', 'open'],
  ['e', 'edit'],
  ['c', 'create'],
  ['m', 'move'],
  ['[ / ]', 'step'],
  ['mod+Enter', 'save'],
  ['mod+z', 'undo'],
  ['Escape', 'back'],
]
const paired = new Set(screenKeys.flatMap(([keys]) => (keys.includes(' / ') ? keys.split(' / ') : [])))

/** What the keys do, here and now. */
export class ShellShortcuts extends KitElement {
  override render() {
    const all = shortcuts.list()
    // What stands here in pairs is not said again one by one.
    const shown = new Set(all.map((it) => it.keys).filter((it) => !paired.has(it)))
    return html`
      <socle-dialog open wide .heading=${t('shell.shortcuts.title')} @socle-close=${this.#close}>
        <div class="columns">
          <div>
            ${this.#column(
              t('shell.shortcuts.general'),
              all.filter((it) => it.group === 'general').map((it) => [it.keys, it.title] as const),
            )}
            ${this.#column(
              t('shell.shortcuts.go'),
              all.filter((it) => it.group === 'go').map((it) => [it.keys, it.title] as const),
            )}
          </div>
          ${this.#column(t('shell.shortcuts.screen'), [
            ...all
              .filter((it) => it.group === 'screen' && shown.has(it.keys))
              .map((it) => [it.keys, it.title] as const),
            ...screenKeys
              .filter(([keys]) => !shown.has(keys))
              .map(([keys, word]) => [keys, t(`shell.shortcuts.${word}`)] as const),
          ])}
        </div>
        <label class="toggle">
          <input type="checkbox" .checked=${preferences.hasLetterShortcuts} @change=${this.#switchLetters} />
          ${t('shell.shortcuts.letters')}
        </label>
      </socle-dialog>
    `
  }

  #column(title: string, rows: readonly (readonly [string, string])[]) {
    return html`
      <section>
        <h3>${title}</h3>
        <dl>
          ${rows.map(
            ([keys, text]) =>
              html`<div>
                <dt>${text}</dt>
                <dd>${this.#keys(keys)}</dd>
              </div>`,
          )}
        </dl>
      </section>
    `
  }

  #keys(keys: string) {
    return keys
      .split(' ')
      .map((part) =>
        part === '/' && keys !== '/'
          ? html`<span class="meta">/</span>`
          : part
              .split('+')
              .map(
                (key) =>
                  html`<kbd class="kbd"
                    >${key === 'mod' ? (isMac ? '⌘' : t('shell.shortcuts.ctrl')) : spelled(key)}</kbd
                  >`,
              ),
      )
  }

  readonly #switchLetters = (event: Event): void => {
    preferences.hasLetterShortcuts = (event.target as HTMLInputElement).checked
    shortcuts.lettersOn = preferences.hasLetterShortcuts
  }

  readonly #close = (): void => {
    this.dispatchEvent(new CustomEvent('close'))
  }

  static override styles = [
    controls,
    css`
      .columns {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 240px), 1fr));
        gap: 8px 32px;
      }
      h3 {
        margin-block: 8px 4px;
        font: var(--socle-small);
        font-weight: 600;
      }
      dl div {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 16px;
        min-block-size: 30px;
        border-block-end: 1px solid var(--socle-line);
        font: var(--socle-small);
      }
      dl div:last-child {
        border: 0;
      }
      dt {
        color: var(--socle-text-2);
      }
      dd {
        display: flex;
        gap: 4px;
      }
      .toggle {
        display: flex;
        align-items: center;
        gap: 8px;
        margin-block-start: 16px;
        padding-block-start: 12px;
        border-block-start: 1px solid var(--socle-line);
        font: var(--socle-small);
      }
    `,
  ]
}

/** Keys with a name are called as keyboards of the reader's country call them. */
const named = new Set(['Space', 'Enter', 'Escape'])

function spelled(key: string): string {
  if (named.has(key)) return t(`shell.shortcuts.key.${key.toLowerCase()}`)
  return key.length === 1 && /[a-z]/.test(key) ? key.toUpperCase() : key
}
