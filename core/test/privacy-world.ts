import { equal } from 'node:assert/strict'
import { defineEntity, p } from '@mikro-orm/core'
import { sql } from 'kysely'
import { fromBuffer } from 'yauzl'
import { Contact } from '../src/entities/contact.ts'
import { contribution, definePlugin } from '../src/plugins/define-plugin.ts'
import { PrivacyStores } from '../src/privacy/stores.ts'
import { defineResource } from '../src/records/define-resource.ts'
import { recordBase } from '../src/records/record-base.ts'
import type { TestApp, TestClient, TestWorkspace } from '../src/testing/index.ts'

const MailSchema = defineEntity({
  name: 'Mail',
  schema: 'mails',
  tableName: 'mail',
  properties: {
    ...recordBase(),
    subject: p.string(),
    body: p.text().nullable(),
    raw: p.text().nullable(),
    contact: () => p.manyToOne(Contact).nullable(),
  },
})
class Mail extends MailSchema.class {}
MailSchema.setClass(Mail)

const AttachmentSchema = defineEntity({
  name: 'Attachment',
  schema: 'mails',
  tableName: 'attachment',
  properties: { ...recordBase(), name: p.string(), mail: () => p.manyToOne(Mail) },
})
class Attachment extends AttachmentSchema.class {}
AttachmentSchema.setClass(Attachment)

/** Mails with attachments, known by their metadata, and files that only the plugin knows. */
export const mailsPlugin = definePlugin({
  id: 'mails',
  version: '1.0.0',
  platform: '^1.0.0',
  title: { en: 'Mails', fr: 'Courriels' },
  entities: [MailSchema, AttachmentSchema],
  resources: [
    defineResource(Mail, {
      path: 'mails',
      title: 'subject',
      icon: 'mail',
      fields: { contact: { personal: true }, raw: { hidden: true } },
      list: ['subject', 'contact'],
      search: ['subject', 'body', 'contact.name'],
    }),
    defineResource(Attachment, {
      path: 'attachments',
      title: 'name',
      icon: 'paperclip',
      fields: { mail: { personal: true } },
      list: ['name', 'mail'],
    }),
  ],
  contributes: [
    contribution(PrivacyStores, {
      id: 'mails.blobs',
      title: { en: 'Files of mails', fr: 'Fichiers des courriels' },
      async collect({ records }, ctx) {
        const { rows } = await sql<{ name: string; bytes: Uint8Array }>`
          select name, bytes from mails.blob where workspace = ${ctx.workspace.id}::uuid and contact = any(${records.map(({ record }) => record)}::uuid[])`.execute(
          ctx.sql,
        )
        return { data: rows.map(({ name }) => name), files: rows.map(({ name, bytes }) => ({ name, content: bytes })) }
      },
      async erase({ records }, ctx) {
        const { rows } = await sql`
          delete from mails.blob where workspace = ${ctx.workspace.id}::uuid and contact = any(${records.map(({ record }) => record)}::uuid[]) returning 1`.execute(
          ctx.sql,
        )
        return { erased: rows.length }
      },
    }),
  ],
  migrations: new URL('./fixtures/mails/', import.meta.url),
})

export const requests = '/api/core/privacy/requests'

/** Steps of a request as an administrator takes them. */
export class Asking {
  readonly #app: TestApp
  readonly #admin: TestClient

  constructor(app: TestApp, here: TestWorkspace) {
    this.#app = app
    this.#admin = here.admin
  }

  async ask(kind: 'access' | 'erasure', record: string, resource = 'core.contact'): Promise<string> {
    const { status, body } = await this.#admin.post(requests, { kind, resource, record })
    equal(status, 201, JSON.stringify(body))
    const verified = await this.#admin.post(`${requests}/${body.data.id}/verify`, { identityCheck: 'Passport seen' })
    equal(verified.status, 200, JSON.stringify(verified.body))
    return body.data.id
  }

  async step(id: string, step: 'rehearse' | 'run') {
    const asked = await this.#admin.post(`${requests}/${id}/${step}`)
    equal(asked.status, 202, JSON.stringify(asked.body))
    await this.#app.app.jobs.runUntilIdle()
    const job = await this.#admin.get(`/api/core/jobs/${asked.body.data.job}`)
    equal(job.body.data.state, 'done', JSON.stringify(job.body))
    const { body } = await this.#admin.get(`${requests}/${id}`)
    return body.data
  }

  async erase(record: string, resource = 'core.contact') {
    const id = await this.ask('erasure', record, resource)
    await this.step(id, 'rehearse')
    return this.step(id, 'run')
  }
}

/** What an archive holds, by the names of its files. */
export async function filesOf(zip: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  await new Promise<void>((resolve, reject) => {
    fromBuffer(zip, { lazyEntries: true }, (fault, archive) => {
      if (fault || !archive) return reject(fault)
      archive.on('entry', (entry) => {
        archive.openReadStream(entry, (broken, stream) => {
          if (broken || !stream) return reject(broken)
          const parts: Buffer[] = []
          stream.on('data', (part: Buffer) => parts.push(part))
          stream.on('end', () => {
            files.set(entry.fileName, Buffer.concat(parts).toString('utf8'))
            archive.readEntry()
          })
        })
      })
      archive.on('end', resolve)
      archive.on('error', reject)
      archive.readEntry()
    })
  })
  return files
}

/** Every table of the database in which a text stands, as a dump of it would show: `schema.table: text`. */
export async function placesOf(app: TestApp, texts: readonly string[]): Promise<string[]> {
  const { owner } = app.app.kernel.parts.database
  const { rows: tables } = await sql<{ schema: string; table: string; bytes: string[] }>`
    select n.nspname as schema, c.relname as table,
      array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.atttypid = 'bytea'::regtype) as bytes
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
    order by 1, 2`.execute(owner)
  const places: string[] = []
  for (const { schema, table, bytes } of tables) {
    // Bytes as the words they are, and every other type as a dump writes it.
    const row = sql.join([sql`t::text`, ...bytes.map((name) => sql`encode(${sql.ref(`t.${name}`)}, 'escape')`)])
    const { rows } = await sql<{ text: string }>`
      select m.text from unnest(${[...texts]}::text[]) m (text)
      where exists (select from ${sql.table(`${schema}.${table}`)} t where concat_ws(' ', ${row}) ilike '%' || m.text || '%')`.execute(
      owner,
    )
    places.push(...rows.map(({ text }) => `${schema}.${table}: ${text}`))
  }
  return places
}
