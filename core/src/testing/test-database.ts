import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { embeddedDatabase, openPGlite, serverDatabase, type Database } from '../database/database.ts'

/** A database for one test process, and how to get rid of it. */
export interface TestDatabase {
  readonly database: Database
  /** Connection string, when it is on a server. */
  readonly url: string | undefined
  drop(): Promise<void>
}

/** File of the migrated embedded database, and name of the migrated one on the server, set by the run's global setup. */
export const snapshotVariable = 'SOCLE_TEST_SNAPSHOT'
export const templateVariable = 'SOCLE_TEST_TEMPLATE'

/** Databases of one run begin with its template's name, so that the run's end finds and drops them all. */
export function testDatabaseName(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 12)}`
}

/**
 * A database with the core's tables: embedded, or on the server of `TEST_DATABASE_URL`.
 *
 * It starts from the run's migrated one where there is one, because making it anew costs seconds. On a server it is a
 * database of its own, so that test processes do not meet.
 */
export async function makeTestDatabase(): Promise<TestDatabase> {
  const server = process.env['TEST_DATABASE_URL']
  if (!server) {
    const database = await embeddedTestDatabase()
    return { database, url: undefined, drop: () => database.close() }
  }
  const template = process.env[templateVariable]
  const name = testDatabaseName(template ?? 'socle_test')
  await onServer(server, `create database ${name}${template === undefined ? '' : ` template ${template}`}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const database = await serverDatabase(url.href, { connections: 6 })
  return {
    database,
    url: url.href,
    async drop() {
      await database.close()
      await onServer(server, `drop database if exists ${name} with (force)`)
    },
  }
}

/** An embedded database that starts from the run's migrated one where there is one; else it is empty. */
export async function embeddedTestDatabase(): Promise<Database> {
  const file = process.env[snapshotVariable]
  const snapshot = file === undefined ? undefined : new Blob([new Uint8Array(await readFile(file))])
  return embeddedDatabase(await openPGlite(undefined, snapshot))
}

/** Runs one statement that stands outside any database of the tests, such as making one. */
export async function onServer(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
