import { KitElement } from './kit-element.ts'

export class FieldEditor extends KitElement {
  check(): boolean {
    return true
  }
}
