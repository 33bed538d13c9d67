import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { Locale, Workspace } from '../actor.ts'
import type { Clock } from '../clock.ts'
import type { Sql } from '../database/database.ts'
import { coreRoleTemplates } from '../permissions/role-templates.ts'
import { slugTaken } from './errors.ts'
import { demandPassword, hashPassword, oneTimePassword } from './passwords.ts'

export interface NewWorkspace {
  readonly name: string
  /** Short name in lower case; made from the name when absent. */
  readonly slug?: string
  readonly locale?: Locale
  /** IANA time zone. */
  readonly zone?: string
  /** ISO 4217 code. */
  readonly baseCurrency?: string
}

/** Who runs a new workspace: an existing sign-in, or one made with it. */
export interface FirstPerson {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly locale?: Locale
}

export interface FirstAdmin {
  readonly email: string
  readonly name: string
  /** One is made, and answered once, when absent. */
  readonly password?: string
  readonly workspace?: Partial<NewWorkspace>
}

export interface FirstAdminAnswer {
  readonly user: string
  readonly workspace: Workspace
  readonly made: boolean
  /** Only when it was made up here. */
  readonly password?: string
}

/** `Société Générale` → `societe-generale`. */
export function slugOf(name: string): string {
  const plain = name.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return (
    plain
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 60) || 'workspace'
  )
}

/** Opens companies. Below the record engine, because a workspace is what its records stand in. */
export class Workspaces {
  readonly #owner: Sql
  readonly #clock: Clock

  constructor(owner: Sql, clock: Clock) {
    this.#owner = owner
    this.#clock = clock
  }

  /**
   * Opens a workspace with the core's roles, and its first administrator.
   *
   * @throws `SLUG_TAKEN` (409)
   */
  async create(workspace: NewWorkspace, administrator?: FirstPerson): Promise<Workspace> {
    return this.#owner.transaction().execute((tx) => this.#open(tx, workspace, administrator))
  }

  /** Makes the first sign-in of an installation, with a workspace around it; nothing where there is one already. */
  async ensureFirstAdmin({ email, name, password, workspace = {} }: FirstAdmin): Promise<FirstAdminAnswer | undefined> {
    const any = await sql`select 1 from core."user" limit 1`.execute(this.#owner)
    if (any.rows.length > 0) return undefined
    const chosen = password ?? oneTimePassword()
    demandPassword(chosen)
    const hash = await hashPassword(chosen)
    return this.#owner.transaction().execute(async (tx) => {
      // Several processes may start on an empty database at once; the others find the first one's administrator.
      await sql`select pg_advisory_xact_lock(hashtext('socle first administrator'))`.execute(tx)
      const taken = await sql`select 1 from core."user" limit 1`.execute(tx)
      if (taken.rows.length > 0) return undefined
      // As of everybody: by lot, telling nothing of when.
      const id = randomUUID()
      await this.#openLogin(tx, { id, name, email }, hash)
      const opened = await this.#open(
        tx,
        { name: 'Socle', ...workspace },
        { id, name, email, ...(workspace.locale ? { locale: workspace.locale } : {}) },
      )
      return { user: id, workspace: opened, made: true, ...(password === undefined ? { password: chosen } : {}) }
    })
  }

  async #openLogin(tx: Sql, { id, name, email }: FirstPerson, hash: string): Promise<void> {
    const at = this.#clock.now().toISOString()
    await sql`select * from core.login_open(${id}::uuid, ${email}, ${name}, ${hash}, ${at}::timestamptz)`.execute(tx)
  }

  async #open(tx: Sql, wanted: NewWorkspace, administrator: FirstPerson | undefined): Promise<Workspace> {
    const workspace: Workspace = {
      id: uuidv7(),
      slug: wanted.slug ?? slugOf(wanted.name),
      name: wanted.name,
      locale: wanted.locale ?? 'en',
      zone: wanted.zone ?? 'Europe/Paris',
      baseCurrency: wanted.baseCurrency ?? 'EUR',
      fiscalMonth: 1,
      ledgerMonths: 36,
      eventDays: 30,
      labels: {},
      secondFactor: 'optional',
      duplicateStrictness: 'usual',
    }
    const at = this.#clock.now().toISOString()
    await sql`select set_config('app.workspace', ${workspace.id}, true), set_config('app.partner', '*', true)`.execute(
      tx,
    )
    const made = await sql`
      insert into core.workspace (id, slug, name, locale, zone, base_currency, created_at)
      values (${workspace.id}, ${workspace.slug}, ${workspace.name}, ${workspace.locale}, ${workspace.zone}, ${workspace.baseCurrency}, ${at}::timestamptz)
      on conflict (slug) do nothing returning id`.execute(tx)
    if (made.rows.length === 0) throw slugTaken({ slug: workspace.slug })
    const roles = new Map<string, string>()
    for (const { id, title, grants, fields = [] } of coreRoleTemplates) {
      const role = uuidv7()
      roles.set(id, role)
      await sql`
        insert into core.role (id, workspace, name, template, grants, fields, created_at, updated_at)
        values (${role}, ${workspace.id}, ${title[workspace.locale]}, ${`core.${id}`}, ${JSON.stringify(grants)}::jsonb, ${JSON.stringify(fields)}::jsonb, ${at}::timestamptz, ${at}::timestamptz)`.execute(
        tx,
      )
    }
    if (administrator) await this.#admit(tx, workspace, administrator, roles.get('administrator')!)
    return workspace
  }

  async #admit(
    tx: Sql,
    workspace: Workspace,
    { id, name, email, locale = workspace.locale }: FirstPerson,
    role: string,
  ): Promise<void> {
    const at = this.#clock.now().toISOString()
    await sql`
      insert into core.member (id, workspace, name, email, locale, state, created_at, updated_at, created_by)
      values (${id}, ${workspace.id}, ${name}, ${email.toLowerCase()}, ${locale}, 'active', ${at}::timestamptz, ${at}::timestamptz, ${id})`.execute(
      tx,
    )
    await sql`
      insert into core.role_assignment (id, workspace, role_id, user_id, created_at, updated_at, created_by)
      values (${uuidv7()}, ${workspace.id}, ${role}, ${id}, ${at}::timestamptz, ${at}::timestamptz, ${id})`.execute(tx)
    await sql`select core.search_put('core.user', ${id}::uuid, null, null, ${id}::uuid, ${name}, ${`${name} ${email.toLowerCase()}`})`.execute(
      tx,
    )
  }
}
