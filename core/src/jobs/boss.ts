import { CompiledQuery } from 'kysely'
import { PgBoss } from 'pg-boss'
import type { Database } from '../database/database.ts'

export interface BossOptions {
  readonly database: Database
  /** Connection string of a server; an embedded database needs none. */
  readonly url?: string
  /** Seconds without a sign of life after which a job's process counts as dead, 10 or more. */
  readonly recoverSeconds: number
}

/**
 * pg-boss on either database, its tables in the schema `jobs`. On a server it has connections of its own; inside this
 * process it takes its turn at the only one.
 */
export function makeBoss({ database, url, recoverSeconds }: BossOptions): PgBoss {
  const common = {
    schema: 'jobs',
    // Our own table says when a schedule is due, by the platform's clock.
    schedule: false,
    registerInstance: false,
    monitorVacuum: false,
    openTelemetry: { enabled: false },
    superviseIntervalSeconds: Math.ceil(recoverSeconds / 4),
    monitorIntervalSeconds: Math.ceil(recoverSeconds / 4),
  }
  if (database.kind === 'postgres' && url !== undefined) {
    return new PgBoss({
      ...common,
      connectionString: url,
      application_name: 'socle-jobs',
      max: 3,
      useListenNotify: true,
    })
  }
  const { owner } = database
  return new PgBoss({
    ...common,
    backend: 'pglite',
    reindex: false,
    db: {
      executeSql: async (text: string, values: unknown[] = []) => {
        const { rows } = await owner.executeQuery(CompiledQuery.raw(text, values))
        return { rows: rows as never[] }
      },
    },
  })
}
