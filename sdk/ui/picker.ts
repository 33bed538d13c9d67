import type { FieldMeta, Included } from './types.ts'

export interface PickerOptions {
  readonly field: FieldMeta
  readonly included: Included | undefined
  readonly inline: boolean
  /** Ids, in the editor's shadow root, of its name and of its help and error. */
  readonly labelId: string
  /** A readable value was chosen or typed. */
  readonly changed: (value: string | null) => void
  /** What stands there cannot be read. */
  readonly unreadable: (text: string) => void
  readonly failed: (error: unknown) => void
}

/** A control of the component library behind one face, so that the editor does not know which it is. */
export interface Picker {
  readonly element: HTMLElement
  readonly isOpen: boolean
  setValue(value: string | null, included: Included | undefined): void
  setState(state: { invalid: boolean; disabled: boolean; required: boolean; describedBy: string }): void
  /** Takes over what is typed but not yet chosen. */
  commit(): void
  open(): void
  /** Starts from a letter instead of the value. */
  type(text: string): void
}
