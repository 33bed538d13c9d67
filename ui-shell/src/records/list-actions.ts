import { navigate, t, toast } from '@socle/sdk/ui'
import type { ListQuery, RecordJson, ResourceMeta } from '@socle/sdk/ui'
import { html } from 'lit'
import type { TemplateResult } from 'lit'
import { define } from '../define.ts'
import { mergeHref, mostAtOnce, mostMerged } from './many.ts'

/** The list an action is offered on, as it stands at that moment. */
export interface ListPlace {
  readonly meta: ResourceMeta
  /** What the list shows: filter, words and order. */
  readonly query: ListQuery
  /** Names of the fields it shows. */
  readonly columns: readonly string[]
  /** Chosen rows, as far as they are loaded. */
  readonly rows: readonly RecordJson[]
  /** Every row the query answers is chosen, loaded or not. */
  readonly all: boolean
  /** How many rows the query answers. */
  readonly total: number
  readonly isNarrow: boolean
  /** The instant the list is looked at, unless it is now. */
  readonly asOf: string | undefined
  /** Shows the list as it was at an instant; without one, as it is. */
  lookAt(asOf: string | undefined): void
  /** Shows a dialog over the list; the list renders nothing else in its place. */
  show(dialog: TemplateResult): void
  close(): void
  /** Takes rows off the screen at once. */
  drop(ids: readonly string[]): void
  /** Lets go of the chosen rows and reads the list again. */
  refresh(): void
}

/** One thing that can be done from a list. A new one is one more line in the arrays below. */
export interface ListAction {
  readonly id: string
  readonly icon?: string
  readonly label: (place: ListPlace) => string
  readonly offered: (place: ListPlace) => boolean
  /** Leads there instead of running. */
  readonly href?: (place: ListPlace) => string
  readonly run?: (place: ListPlace) => unknown
}

const importFile: ListAction = {
  id: 'import',
  icon: 'upload',
  label: () => t('shell.records.import'),
  offered: ({ meta, isNarrow }) => meta.may.import && isNarrow,
  href: ({ meta }) => `${meta.route}/import`,
}

const exportList: ListAction = {
  id: 'export',
  icon: 'download',
  label: () => t('shell.exports.action'),
  offered: ({ meta }) => meta.may.export,
  run: (place) => exportRows(place, []),
}

const exportChosen: ListAction = {
  id: 'export-rows',
  icon: 'download',
  label: () => t('shell.exports.action'),
  offered: ({ meta }) => meta.may.export,
  run: (place) => exportRows(place, hasUnloaded(place) ? [] : place.rows),
}

const openBin: ListAction = {
  id: 'bin',
  icon: 'trash-2',
  label: () => t('shell.records.bin'),
  offered: ({ meta }) => meta.may.restore,
  href: ({ meta }) => `${meta.route}/bin`,
}

const openDuplicates: ListAction = {
  id: 'duplicates',
  icon: 'copy',
  label: () => t('shell.duplicates.action'),
  offered: ({ meta }) => meta.duplicates !== undefined && meta.may.merge,
  href: ({ meta }) => `${meta.route}/duplicates`,
}

const mergeRows: ListAction = {
  id: 'merge',
  icon: 'merge',
  label: () => t('shell.merge.action'),
  offered: (place) =>
    place.meta.may.merge && place.rows.length >= 2 && place.rows.length <= mostMerged && !hasUnloaded(place),
  run: ({ meta, rows }) => {
    const ids = rows.map(({ id }) => id)
    navigate(mergeHref(meta, ids))
  },
}

const shareRows: ListAction = {
  id: 'share',
  icon: 'user-plus',
  label: () => t('shell.share.action'),
  offered: (place) => place.meta.may.share && place.rows.length <= mostAtOnce && !hasUnloaded(place),
  run: async ({ meta, rows, refresh }) => {
    const { askShare } = await import('./shell-share-dialog.ts')
    const count = await askShare({ meta, records: rows.map(({ id }) => id) })
    if (count === undefined) return
    toast({ text: t('shell.share.done', { count }) })
    refresh()
  },
}

const lookBack: ListAction = {
  id: 'as-of',
  icon: 'history',
  label: () => t('shell.records.asOf.action'),
  offered: () => true,
  run: async (place) => {
    const { ShellAsOfDialog } = await import('./shell-as-of-dialog.ts')
    define('shell-as-of-dialog', ShellAsOfDialog)
    place.show(
      html`<shell-as-of-dialog
        .asOf=${place.asOf}
        @as-of-chosen=${(event: CustomEvent<string>) => place.lookAt(event.detail)}
        @as-of-closed=${() => place.close()}
      ></shell-as-of-dialog>`,
    )
  },
}

const setField: ListAction = {
  id: 'set',
  icon: 'pencil',
  label: () => t('shell.records.bulk.set'),
  offered: ({ meta, rows }) => meta.may.update && (meta.may.bulk || rows.length <= mostAtOnce),
  run: (place) => bulk(place, 'set', false),
}

const deleteRows: ListAction = {
  id: 'delete',
  icon: 'trash-2',
  label: () => t('shell.records.bulk.delete'),
  offered: ({ meta, rows }) => meta.may.delete && (meta.may.bulk || rows.length <= mostAtOnce),
  run: (place) => bulk(place, 'delete', false),
}

const deleteAll: ListAction = {
  id: 'delete-all',
  label: ({ total }) => t('shell.records.bulk.deleteAll', { count: total }),
  offered: (place) => place.meta.may.delete && place.meta.may.bulk && hasUnloaded(place),
  run: (place) => bulk(place, 'delete', true),
}

const setFieldOfAll: ListAction = {
  id: 'set-all',
  label: ({ total }) => t('shell.records.bulk.setAll', { count: total }),
  offered: (place) => place.meta.may.update && place.meta.may.bulk && hasUnloaded(place),
  run: (place) => bulk(place, 'set', true),
}

/** Entries of the menu beside the list's title, in their order. */
export const menuActions: readonly ListAction[] = [importFile, exportList, openDuplicates, lookBack, openBin]

/** Buttons over chosen rows, in their order. */
export const rowActions: readonly ListAction[] = [
  setField,
  mergeRows,
  shareRows,
  exportChosen,
  deleteRows,
  setFieldOfAll,
  deleteAll,
]

/** More rows are chosen than stand in `rows`. */
function hasUnloaded({ all, total, rows }: ListPlace): boolean {
  return all && total > rows.length
}

async function bulk(place: ListPlace, kind: 'set' | 'delete', everything: boolean): Promise<void> {
  const { ShellBulkDialog } = await import('./shell-bulk-dialog.ts')
  define('shell-bulk-dialog', ShellBulkDialog)
  const done = ({ detail }: CustomEvent<{ deleted: readonly string[]; changed: boolean }>) => {
    if (detail.deleted.length) place.drop(detail.deleted)
    if (detail.changed) place.refresh()
  }
  place.show(
    html`<shell-bulk-dialog
      .meta=${place.meta}
      .kind=${kind}
      .rows=${place.rows}
      .query=${everything ? place.query : undefined}
      .total=${everything ? place.total : place.rows.length}
      @bulk-done=${done}
      @bulk-closed=${() => place.close()}
    ></shell-bulk-dialog>`,
  )
}

async function exportRows(place: ListPlace, rows: readonly RecordJson[]): Promise<void> {
  const { ShellExportDialog } = await import('./shell-export-dialog.ts')
  define('shell-export-dialog', ShellExportDialog)
  place.show(
    html`<shell-export-dialog
      .meta=${place.meta}
      .query=${place.query}
      .columns=${place.columns}
      .rows=${rows}
      .total=${place.total}
      @export-closed=${() => place.close()}
    ></shell-export-dialog>`,
  )
}
