import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { embeddedDatabase, openPGlite, serverDatabase, type Database } from '../database/database.ts'

/** A database for one test process, and how to get rid of it. */
export interface TestDatabase {
  readonly database: Database
  readonly url: string | undefined
  drop(): Promise<void>
}

/**
 * A new, empty database: embedded, or on the server of `TEST_DATABASE_URL`.
 *
 * On a server it is a database of its own, so that test processes do not meet.
 */
export async function makeTestDatabase(): Promise<TestDatabase> {
  const server = process.env['TEST_DATABASE_URL']
  if (!server) {
    const database = await embeddedDatabase(await openPGlite())
    return { database, url: undefined, drop: () => database.close() }
  }
  const name = `socle_test_${randomUUID().replaceAll('-', '').slice(0, 16)}`
  await onServer(server, `create database ${name}`)
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

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
