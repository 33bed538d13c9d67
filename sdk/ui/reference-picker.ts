import '@vaadin/combo-box'
import type { ComboBox } from '@vaadin/combo-box'
import { currentChoice, searchChoices } from './choices.ts'
import type { Choice } from './choices.ts'
import { referred } from './format.ts'
import type { Picker, PickerOptions } from './picker.ts'
import { initials } from './templates.ts'
import { t } from './words.ts'

/** A combo box that asks the server while the user types; only the last question's answer is shown. */
export function makeReferencePicker(options: PickerOptions): Picker {
  const { field } = options
  const combo = document.createElement('vaadin-combo-box') as ComboBox<Choice>
  let asking: AbortController | undefined
  let value: string | null = null

  combo.itemLabelPath = 'title'
  combo.itemIdPath = 'id'
  combo.itemValuePath = 'id'
  combo.pageSize = 50
  combo.placeholder = options.inline ? '' : t('kit.field.choose')
  combo.accessibleNameRef = options.labelId
  combo.renderer = (root, _combo, { item }) => root.replaceChildren(...rowOf(item, field.type === 'user'))
  combo.dataProvider = ({ filter }, answer) => {
    asking?.abort()
    const asked = new AbortController()
    asking = asked
    searchChoices(field, filter, asked.signal).then(
      (choices) => answer(choices, choices.length),
      (error: unknown) => {
        answer([], 0)
        if (!asked.signal.aborted) options.failed(error)
      },
    )
  }
  combo.addEventListener('change', () => {
    value = combo.value || null
    options.changed(value)
  })

  return {
    element: combo,
    get isOpen() {
      return combo.opened
    },
    setValue(next, included) {
      if (next === value && combo.selectedItem) return
      value = next
      if (next === null) {
        combo.selectedItem = null
        return
      }
      void currentChoice(field, next, referred(field, next, included)).then((choice) => {
        if (choice && value === next) combo.selectedItem = choice
      }, options.failed)
    },
    setState({ invalid, disabled, required, describedBy }) {
      Object.assign(combo, { invalid, disabled })
      const input = combo.inputElement as HTMLInputElement | undefined
      input?.setAttribute('aria-required', String(required))
      input?.setAttribute('aria-describedby', describedBy)
    },
    commit() {
      combo.close()
    },
    open() {
      combo.open()
    },
    type(text) {
      const input = combo.inputElement as HTMLInputElement
      input.value = text
      input.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }))
    },
  }
}

function rowOf(choice: Choice, isPerson: boolean): Node[] {
  const words = document.createElement('span')
  words.textContent = choice.title
  words.style.cssText =
    'flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font:var(--socle-small)'
  const beside = document.createElement('span')
  beside.textContent = choice.subtitle
  beside.style.cssText = 'color:var(--socle-text-3);font:var(--socle-meta);white-space:nowrap'
  return [...(isPerson ? [face(choice.title)] : []), words, ...(choice.subtitle ? [beside] : [])]
}

// Drawn by hand: the overlay stands in the component's shadow root, where our style sheet does not reach.
function face(name: string): HTMLElement {
  const made = document.createElement('span')
  made.textContent = initials(name)
  made.setAttribute('aria-hidden', 'true')
  made.style.cssText =
    'display:inline-flex;align-items:center;justify-content:center;width:20px;height:20px;flex:none;border-radius:50%;' +
    'font:600 9px/1 var(--socle-font);color:var(--socle-accent);background:var(--socle-accent-bg)'
  return made
}
