import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedDatabase, openPGlite, serverDatabase } from '../database/database.ts'
import { migrate } from '../database/migrator.ts'
import { onServer, snapshotVariable, templateVariable, testDatabaseName } from './test-database.ts'

const coreMigrations = new URL('../../migrations/', import.meta.url)

/** Makes the migrated database once that every test process starts from: a snapshot in a file, or a template on the server. */
export async function setup(): Promise<() => Promise<void>> {
  const server = process.env['TEST_DATABASE_URL']
  return server ? serverTemplate(server) : embeddedSnapshot()
}

async function embeddedSnapshot(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'socle-test-'))
  const pglite = await openPGlite()
  const database = await embeddedDatabase(pglite)
  await migrate(database.owner, 'core', coreMigrations)
  const file = join(folder, 'snapshot.tar')
  await writeFile(file, Buffer.from(await (await pglite.dumpDataDir('none')).arrayBuffer()))
  await database.close()
  process.env[snapshotVariable] = file
  return () => rm(folder, { recursive: true, force: true })
}

async function serverTemplate(server: string): Promise<() => Promise<void>> {
  const name = testDatabaseName('socle_test')
  await onServer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const database = await serverDatabase(url.href, { connections: 2 })
  await migrate(database.owner, 'core', coreMigrations)
  await database.close()
  process.env[templateVariable] = name
  return async () => {
    // Test processes leave their databases: what ends a process in the middle must not leave it for ever.
    const made = await onServer(server, `select datname from pg_database where datname like '${name}%'`)
    for (const { datname } of made) await onServer(server, `drop database if exists ${String(datname)} with (force)`)
  }
}
