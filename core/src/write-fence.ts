import { ChangeSetType, type EventSubscriber, type FlushEventArgs } from '@mikro-orm/core'
import { defineError } from './errors.ts'
import type { Catalog } from './records/registry.ts'

const recordsOnly = defineError<{ entity: string; action: string }>(
  'RECORDS_ONLY',
  500,
  ({ entity, action }) =>
    `A flush would ${action} ${entity} past the write path, without permission, guards and ledger. Use ctx.records for records.`,
)

/** Refuses a flush that would write a record: there is one write path, and the entity manager is not it. */
export class WriteFence implements EventSubscriber {
  readonly #catalog: () => Catalog

  constructor(catalog: () => Catalog) {
    this.#catalog = catalog
  }

  onFlush({ uow }: FlushEventArgs): void {
    for (const { meta, type } of uow.getChangeSets()) {
      if (this.#catalog().holds(meta.schema ?? '', meta.tableName)) {
        throw recordsOnly({
          entity: meta.className,
          action: type === ChangeSetType.CREATE ? 'create' : type === ChangeSetType.DELETE ? 'delete' : 'change',
        })
      }
    }
  }
}
