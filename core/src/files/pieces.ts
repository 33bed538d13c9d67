import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import type { Database, Sql } from '../database/database.ts'

const pieceSize = 262_144

export interface Piece {
  readonly workspace: string
  readonly file: string
  readonly nth: number
  readonly bytes: Uint8Array
  /** ISO instant. */
  readonly at: string
}

/** Adds one piece to a file, in the transaction of whatever it was made from. */
export async function addPiece(tx: Sql, { workspace, file, nth, bytes, at }: Piece): Promise<void> {
  await sql`
    insert into core.file_piece (workspace, file, nth, bytes, at)
    values (${workspace}::uuid, ${file}::uuid, ${nth}, ${Buffer.from(bytes)}, ${at}::timestamptz)`.execute(tx)
}

export async function removePieces(tx: Sql, workspace: string, file: string): Promise<void> {
  await sql`delete from core.file_piece where workspace = ${workspace}::uuid and file = ${file}::uuid`.execute(tx)
}

/** A file's pieces in their order, in a transaction that is open already. */
export async function* readPieces(tx: Sql, workspace: string, file: string): AsyncGenerator<Buffer> {
  for (let nth = 0; ; nth += 1) {
    const piece = await pieceOf(tx, { workspace, file, nth })
    if (!piece) return
    yield piece
  }
}

async function pieceOf(
  tx: Sql,
  { workspace, file, nth }: Pick<Piece, 'workspace' | 'file' | 'nth'>,
): Promise<Buffer | undefined> {
  const { rows } = await sql<{ bytes: Uint8Array }>`
    select bytes from core.file_piece where workspace = ${workspace}::uuid and file = ${file}::uuid and nth = ${nth}`.execute(
    tx,
  )
  return rows[0] && Buffer.from(rows[0].bytes)
}

/** Some content on this machine's disk for as long as it is used. */
export async function onDisk(content: AsyncIterable<Uint8Array>): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'socle-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  const path = join(folder, 'file')
  try {
    await pipeline(content, createWriteStream(path, { mode: 0o600 }))
  } catch (error) {
    await remove()
    throw error
  }
  return { path, [Symbol.asyncDispose]: remove }
}

/**
 * Files that wait to be read or fetched. Whoever asks has the row that names the file, before it or behind it: here are
 * bytes and no question of whose. Kept in the database in pieces of some hundred kilobytes: every process finds
 * them, also after a restart and on another machine, and none holds one whole.
 */
export class Pieces {
  readonly #database: Database
  readonly #clock: Clock

  constructor({ database, clock }: { readonly database: Database; readonly clock: Clock }) {
    this.#database = database
    this.#clock = clock
  }

  async put(workspace: string, file: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    let nth = 0
    const add = async (bytes: Uint8Array) => {
      const piece = { workspace, file, nth, bytes, at: this.#clock.now().toISOString() }
      await this.#database.transaction({ workspace, partner: '*' }, (tx) => addPiece(tx, piece))
      nth += 1
    }
    let held: Uint8Array[] = []
    let size = 0
    for await (const bytes of content) {
      held.push(bytes)
      size += bytes.byteLength
      if (size < pieceSize) continue
      await add(Buffer.concat(held))
      held = []
      size = 0
    }
    if (size > 0) await add(Buffer.concat(held))
  }

  async *read(workspace: string, file: string): AsyncGenerator<Buffer> {
    for (let nth = 0; ; nth += 1) {
      const piece = await this.#database.transaction({ workspace, partner: '*' }, (tx) =>
        pieceOf(tx, { workspace, file, nth }),
      )
      if (!piece) return
      yield piece
    }
  }

  /** The file on this machine's disk for as long as it is used. */
  local(workspace: string, file: string): Promise<AsyncDisposable & { readonly path: string }> {
    return onDisk(this.read(workspace, file))
  }

  async remove(workspace: string, file: string): Promise<void> {
    await this.#database.transaction({ workspace, partner: '*' }, (tx) => removePieces(tx, workspace, file))
  }
}
