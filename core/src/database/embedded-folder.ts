import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { defineError } from '../errors.ts'

export const databaseInUse = defineError<{ folder: string; holder: string }>(
  'DATABASE_IN_USE',
  409,
  ({ folder, holder }) =>
    `The embedded database in ${folder} is in use by ${holder}, and serves one process at a time. Stop that one first, or set DATABASE_URL to a PostgreSQL server, which serves many.`,
)

const holderSchema = z.object({ process: z.int(), host: z.string(), since: z.string() })

/** SQLite's "somebody else holds the lock". */
const busy = 5

/**
 * Makes or takes the folder of an embedded database for this process alone: two that write to it would destroy each other's data.
 *
 * The lock is the operating system's, on a file in the folder, and taken by SQLite because Node.js has no call for it. It ends
 * with the process, however that ends, and is the same for containers that share the folder; a number of a process, which
 * another may have by now, only stands in the sentence.
 *
 * @returns gives the folder back
 * @throws `DATABASE_IN_USE` (409)
 */
export async function holdFolder(folder: string): Promise<() => void> {
  mkdirSync(folder, { recursive: true })
  const place = realpathSync(folder)
  const { DatabaseSync } = await import('node:sqlite')
  const lock = new DatabaseSync(join(place, 'in-use.lock'), { timeout: 0 })
  const about = join(place, 'in-use.json')
  try {
    lock.exec('begin exclusive')
    const holder: z.infer<typeof holderSchema> = {
      process: process.pid,
      host: hostname(),
      since: new Date().toISOString(),
    }
    writeFileSync(about, `${JSON.stringify(holder)}\n`)
  } catch (error) {
    lock.close()
    if ((error as { errcode?: unknown }).errcode !== busy) throw error
    throw databaseInUse({ folder: place, holder: holderIn(about) })
  }
  return () => lock.close()
}

/** Who says to hold the folder; its words may be only half written. */
function holderIn(file: string): string {
  try {
    const { process: id, host, since } = holderSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return `process ${id} on ${host} since ${since}`
  } catch {
    return 'another process'
  }
}
