import { PostgresAdapter } from 'kysely'

/**
 * PostgreSQL without the lock Kysely's migrator takes. That lock is the session's: a migration that fails would leave it with
 * its connection in the pool, and the next one would wait for it; and it lifts the transaction's lock timeout. `migrateIn`
 * holds one that ends with its transaction.
 */
export class UnlockedPostgresAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}

  override async releaseMigrationLock(): Promise<void> {}
}
