import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Context } from '../context.ts'
import { certificateNotFound } from './errors.ts'
import type { PrivacyKeys } from './keys.ts'

export interface CertificateJson {
  readonly id: string
  readonly position: number
  readonly kind: 'erasure' | 'retention'
  /** What was certified, word for word as it was hashed and signed. */
  readonly body: string
  readonly prevHash: string
  readonly hash: string
  readonly signature: string
  /** PEM of the Ed25519 key it was signed with. */
  readonly publicKey: string
  readonly at: string
}

interface Row {
  readonly id: string
  readonly position: number
  readonly kind: CertificateJson['kind']
  readonly body: string
  readonly prev: string
  readonly hash: string
  readonly signature: string
  readonly at: string
}

/** Writes the next certificate of the workspace: chained to the one before, signed with the installation's key. */
export async function certify(
  ctx: Context,
  keys: PrivacyKeys,
  it: {
    readonly kind: CertificateJson['kind']
    readonly request?: string
    readonly body: Readonly<Record<string, unknown>>
  },
): Promise<string> {
  const { sql: tx, workspace, clock } = ctx
  await sql`select pg_advisory_xact_lock(hashtextextended(${`core.certificate ${workspace.id}`}, 2))`.execute(tx)
  const { rows } = await sql<{ position: number; hash: string }>`
    select position, encode(hash, 'hex') as hash from core.certificate where workspace = ${workspace.id}::uuid order by position desc limit 1`.execute(
    tx,
  )
  const [last] = rows
  const previous = last ? Buffer.from(last.hash, 'hex') : createHash('sha256').update(workspace.id).digest()
  const id = uuidv7()
  const at = clock.now().toISOString()
  const body = JSON.stringify({ certificate: id, workspace: workspace.id, kind: it.kind, at, ...it.body })
  const hash = linkOf(previous, body)
  await sql`
    insert into core.certificate (id, workspace, position, kind, request, body, prev_hash, hash, signature, at)
    values (${id}::uuid, ${workspace.id}::uuid, ${(last?.position ?? 0) + 1}, ${it.kind}, ${it.request ?? null}::uuid, ${body},
      ${previous}, ${hash}, ${keys.sign(hash)}, ${at}::timestamptz)`.execute(tx)
  return id
}

function linkOf(previous: Buffer, body: string): Buffer {
  return createHash('sha256').update(previous).update(body, 'utf8').digest()
}

const columns = sql`id, position, kind, body, encode(prev_hash, 'hex') as prev, encode(hash, 'hex') as hash, encode(signature, 'hex') as signature, at`

/** @throws `CERTIFICATE_NOT_FOUND` (404) */
export async function certificateOf(ctx: Context, keys: PrivacyKeys, id: string): Promise<CertificateJson> {
  const { rows } =
    await sql<Row>`select ${columns} from core.certificate where workspace = ${ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(
      ctx.sql,
    )
  const [row] = rows
  if (!row) throw certificateNotFound({ id })
  const { prev, ...certificate } = row
  return { ...certificate, prevHash: prev, publicKey: keys.publicKey }
}

export interface CertificateVerdict {
  readonly valid: boolean
  /** What is wrong; null where nothing is. */
  readonly fault: 'altered' | 'unsigned' | 'unlinked' | null
}

/** Whether a certificate is what was written: its words, its signature, and its place behind the one before. */
export async function verifyCertificate(ctx: Context, keys: PrivacyKeys, id: string): Promise<CertificateVerdict> {
  const it = await certificateOf(ctx, keys, id)
  const { rows } = await sql<{ hash: string }>`
    select encode(hash, 'hex') as hash from core.certificate where workspace = ${ctx.workspace.id}::uuid and position = ${it.position - 1}`.execute(
    ctx.sql,
  )
  const expected = rows[0]?.hash ?? createHash('sha256').update(ctx.workspace.id).digest('hex')
  const fault =
    linkOf(Buffer.from(it.prevHash, 'hex'), it.body).toString('hex') !== it.hash
      ? 'altered'
      : !keys.verify(Buffer.from(it.hash, 'hex'), Buffer.from(it.signature, 'hex'))
        ? 'unsigned'
        : it.prevHash !== expected
          ? 'unlinked'
          : null
  return { valid: fault === null, fault }
}
