import { controls, icon, KitElement, live, recordHref, records, resource, t, valueTemplate } from '@socle/sdk/ui'
import type { FieldMeta, Page, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import type { PropertyValues } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import { quote } from './filter-text.ts'
import { fieldOf, fieldsOf, includedTitle, includesFor, pointsAtRecord } from './resources.ts'

/** Records of another resource that point at the one in view. */
export interface Collection {
  readonly name: string
  readonly target: string
  /** The reference there. */
  readonly field: string
}

const linksShown = 12

/**
 * What belongs to a record: a list for each collection that has something, and one line of buttons for the others.
 *
 * @fires related-create - `detail` is the collection
 */
export class ShellRelated extends KitElement {
  static override properties = {
    meta: { attribute: false },
    record: { attribute: false },
    pages: { state: true },
  }

  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: 24px;
      }
      header {
        display: flex;
        align-items: center;
        min-block-size: 32px;
        border-block-end: 1px solid var(--socle-line);
      }
      h3 {
        flex: 1;
        font: var(--socle-body);
        font-weight: 600;
      }
      li a {
        display: flex;
        align-items: center;
        gap: 8px;
        min-block-size: 36px;
        border-block-end: 1px solid var(--socle-line);
        color: inherit;
        font: var(--socle-small);
        text-decoration: none;
      }
      li a:hover .name {
        text-decoration: underline;
        text-decoration-color: var(--socle-control);
        text-underline-offset: 3px;
      }
      .name {
        flex: 1;
        min-inline-size: 0;
        overflow: hidden;
        font-weight: 500;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .beside {
        color: var(--socle-text-2);
      }
      .others {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
    `,
  ]

  declare meta: ResourceMeta
  declare record: RecordJson
  /** First rows of each collection by name; absent until they were read. */
  declare private pages: Readonly<Record<string, Page>>
  #stop: (() => void) | undefined
  #pause: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.pages = {}
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = live.on('record', (event) => {
      if (!this.#collections.some((it) => it.target === event.resource)) return
      clearTimeout(this.#pause)
      this.#pause = setTimeout(() => void this.reload(), 400)
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    clearTimeout(this.#pause)
  }

  override willUpdate(changed: PropertyValues): void {
    const before = changed.get('record') as RecordJson | undefined
    if (!changed.has('record') || before?.id === this.record.id) return
    this.pages = {}
    void this.reload()
  }

  /** Finds out anew which collections have something. */
  async reload(): Promise<void> {
    const { id } = this.record
    await Promise.all(
      this.#collections.map(async (collection) => {
        const target = resource(collection.target)!
        const include = isLink(target) ? includesFor(fieldsOf(target, target.list)) : []
        const page = await records(target.id)
          .list({
            filter: this.#filterOf(collection),
            count: 'none',
            limit: isLink(target) ? linksShown : 1,
            ...(include.length ? { include } : {}),
          })
          .catch(() => undefined)
        if (page && id === this.record.id) this.pages = { ...this.pages, [collection.name]: page }
      }),
    )
  }

  get #collections(): readonly Collection[] {
    return this.meta.collections.filter((it) => resource(it.target))
  }

  #filterOf({ field }: Collection): string {
    return `${field} = ${quote(this.record.id)}`
  }

  override render() {
    const known = this.#collections.filter((it) => this.pages[it.name])
    const filled = known.filter((it) => this.pages[it.name]!.data.length > 0)
    const empty = known.filter((it) => this.pages[it.name]!.data.length === 0 && resource(it.target)!.may.create)
    if (known.length === 0 && this.#collections.length > 0) return html`<socle-skeleton .lines=${4}></socle-skeleton>`
    return html`
      ${repeat(
        filled,
        (it) => it.name,
        (it) => this.#list(it),
      )}
      ${
        empty.length
          ? html`<div class="others" role="group" aria-label=${t('shell.records.page.add')}>
              ${empty.map((it) => {
                const target = resource(it.target)!
                return html`<button class="button small" @click=${() => this.tell('related-create', it)}>
                  ${icon('plus')}${target.name.one}
                </button>`
              })}
            </div>`
          : nothing
      }
    `
  }

  #list(collection: Collection) {
    const target = resource(collection.target)!
    if (isLink(target)) return this.#links(collection, target)
    const filter = this.#filterOf(collection)
    return html`<socle-records
      resource=${target.id}
      .filter=${filter}
      .values=${{ [collection.field]: this.record.id }}
      .heading=${target.name.many}
      .href=${`${target.route}?${new URLSearchParams({ filter })}`}
      @socle-create=${(event: Event) => {
        event.preventDefault()
        this.tell('related-create', collection)
      }}
    ></socle-records>`
  }

  /** A record that only joins two others is told by the other one. */
  #links(collection: Collection, target: ResourceMeta) {
    const page = this.pages[collection.name]!
    const listed = fieldsOf(target, target.list)
    const other =
      listed.find((it) => pointsAtRecord(it) && it.name !== collection.field) ?? fieldOf(target, target.title)!
    const beside = listed.find((it) => it.type === 'select' || it.type === 'text')
    const words = t('shell.records.create', { one: target.name.one })
    return html`<section aria-label=${target.name.many}>
      <header>
        <h3>${target.name.many} <span class="pill">${page.data.length}</span></h3>
        ${
          target.may.create
            ? html`<button
                class="icon-button"
                title=${words}
                aria-label=${words}
                @click=${() => this.tell('related-create', collection)}
              >
                ${icon('plus')}
              </button>`
            : nothing
        }
      </header>
      <ul>
        ${page.data.map((row) => html`<li>${this.#link(row, other, beside, page)}</li>`)}
      </ul>
    </section>`
  }

  #link(row: RecordJson, other: FieldMeta, beside: FieldMeta | undefined, page: Page) {
    const id = String(row[other.name] ?? '')
    return html`<a href=${recordHref(other.target ?? '', id) ?? nothing}>
      <span class="name">${includedTitle(page.included, other, id) ?? '–'}</span>
      ${beside ? html`<span class="beside">${valueTemplate(beside, row[beside.name], { record: row, included: page.included, links: false })}</span>` : nothing}
    </a>`
  }
}

/** Whether it joins two others and has no name of its own: the role of a contact at an account. */
function isLink(target: ResourceMeta): boolean {
  const title = fieldOf(target, target.title)
  const first = fieldsOf(target, target.list)[0]
  if (!title || !first) return false
  return pointsAtRecord(title) || (!title.required && pointsAtRecord(first))
}
