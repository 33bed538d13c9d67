import '@vaadin/date-picker'
import type { DatePicker, DatePickerDate, DatePickerI18n } from '@vaadin/date-picker'
import { format } from './format.ts'
import { parse } from './parse.ts'
import type { Picker, PickerOptions } from './picker.ts'
import { locale } from './session.ts'
import { t } from './words.ts'

/** A date typed in any of our writings, or taken from a calendar that starts on Monday. */
export function makeDatePicker(options: PickerOptions): Picker {
  const picker = document.createElement('vaadin-date-picker') as DatePicker
  picker.i18n = words()
  picker.autoOpenDisabled = true
  picker.accessibleNameRef = options.labelId
  picker.placeholder = options.inline ? '' : t('kit.field.datePlaceholder')
  picker.addEventListener('change', () => options.changed(picker.value || null))
  // The component's input is a combo box without the relation that role asks for.
  picker.addEventListener('opened-changed', () => {
    const calendar = picker.querySelector('vaadin-date-picker-overlay-content')
    if (!calendar) return
    calendar.id ||= `${options.labelId}-calendar`
    picker.inputElement?.setAttribute('aria-controls', calendar.id)
  })
  picker.addEventListener('unparsable-change', () => {
    const text = typed(picker)
    if (text) options.unreadable(text)
  })

  return {
    element: picker,
    get isOpen() {
      return picker.opened === true
    },
    setValue(value) {
      if (picker.value !== (value ?? '')) picker.value = value ?? ''
    },
    setState({ invalid, disabled, required, describedBy }) {
      Object.assign(picker, { invalid, disabled })
      const input = picker.inputElement as HTMLInputElement | undefined
      input?.setAttribute('aria-required', String(required))
      input?.setAttribute('aria-describedby', describedBy)
    },
    commit() {
      const text = typed(picker)
      const value = parse.date(text)
      if (value === undefined) options.unreadable(text)
      else options.changed(value || null)
    },
    open() {
      picker.open()
    },
    type(text) {
      const input = picker.inputElement as HTMLInputElement
      input.value = text
      input.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }))
    },
  }
}

const typed = (picker: DatePicker) => (picker.inputElement as HTMLInputElement).value

function words(): DatePickerI18n {
  const language = locale() === 'fr' ? 'fr-FR' : 'en-GB'
  const name = (options: Intl.DateTimeFormatOptions, date: Date) =>
    new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }).format(date)
  const months = Array.from({ length: 12 }, (_, index) => new Date(Date.UTC(2026, index, 1)))
  // 4 January 2026 was a Sunday, with which the component's week starts.
  const days = Array.from({ length: 7 }, (_, index) => new Date(Date.UTC(2026, 0, 4 + index)))
  return {
    monthNames: months.map((it) => name({ month: 'long' }, it)),
    weekdays: days.map((it) => name({ weekday: 'long' }, it)),
    weekdaysShort: days.map((it) => name({ weekday: 'short' }, it).replace('.', '')),
    firstDayOfWeek: 1,
    today: t('kit.field.today'),
    cancel: t('kit.field.cancel'),
    dialogAccessibleName: t('kit.field.openCalendar'),
    formatDate: (date) => format.date(isoOf(date), 'short'),
    parseDate: dateOf,
    formatTitle: (month, year) => `${month} ${year}`,
  }
}

function isoOf({ year, month, day }: DatePickerDate): string {
  return [String(year).padStart(4, '0'), String(month + 1).padStart(2, '0'), String(day).padStart(2, '0')].join('-')
}

function dateOf(text: string): DatePickerDate | undefined {
  const [year, month, day] = (parse.date(text) || '').split('-').map(Number)
  if (year === undefined || month === undefined || day === undefined) return undefined
  return { year, month: month - 1, day }
}
