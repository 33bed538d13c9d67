import { KitElement } from './kit-element.ts'
import type { RecordJson } from './types.ts'

/**
 * A small list of a resource's records inside a page: title, one or two values, “new”.
 *
 * @fires socle-open - `detail.id`
 * @fires socle-create - `detail.resource`, `detail.values`; not prevented, the form opens in a dialog here
 * @fires socle-created - `detail.record`
 */
export class SocleRecords extends KitElement {
  static override properties = {
    resource: { type: String },
    filter: { type: String },
    sort: { type: String },
    limit: { type: Number },
    fields: { attribute: false },
    values: { attribute: false },
    heading: { type: String },
    href: { type: String },
    noCreate: { type: Boolean, attribute: 'no-create' },
  }

  /** Resource id, e.g. `sales.opportunity`. */
  declare resource: string
  /** Text filter; '' for all. */
  declare filter: string
  declare sort: string
  declare limit: number
  /** Fields shown beside the title; by default the first two of the resource's list that fit. */
  declare fields: readonly string[] | undefined
  /** What a new record starts with, e.g. `{ account: id }`. */
  declare values: Readonly<Record<string, unknown>>
  declare heading: string
  /** Address of the whole list. */
  declare href: string
  declare noCreate: boolean

  rows: readonly RecordJson[] = []
}
