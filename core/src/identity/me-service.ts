import { sql } from 'kysely'
import type { Locale } from '../actor.ts'
import type { Context } from '../context.ts'
import { roleName } from '../permissions/role-names.ts'
import { notSignedIn } from './errors.ts'
import { users } from './resources.ts'
import { UserService } from './user-service.ts'

export interface Me {
  readonly id: string
  readonly name: string
  readonly email: string | null
  readonly locale: Locale
  readonly roles: { readonly id: string; readonly name: string }[]
  readonly team: { readonly id: string; readonly name: string } | null
  readonly theme: string | null
  readonly density: string | null
  /** What became of how I sign in; null for a key. */
  readonly signIn: SignInFacts | null
}

/** When what last happened to a person's ways in here; null where it never did. */
export interface SignInFacts {
  readonly passwordSetAt: string | null
  readonly passwordLinkAt: string | null
  readonly secondFactorResetAt: string | null
  readonly sessionsEndedAt: string | null
  readonly vouchedAt: string | null
  readonly vouchedBy: string | null
  readonly unlinkedAt: string | null
  readonly unlinkedFrom: string | null
}

export interface MeChange {
  readonly name?: string
  readonly locale?: Locale
  readonly theme?: string | null
  readonly density?: string | null
}

/** The actor's own name, language and looks: no permission is needed for one's own. */
export class MeService {
  readonly #ctx: Context

  constructor(ctx: Context) {
    this.#ctx = ctx
  }

  async get(): Promise<Me> {
    const { actor } = this.#ctx
    if (actor.type === 'key' && actor.id !== undefined) return this.#key(actor.id)
    const id = this.#user()
    const { rows } = await sql<Omit<Me, 'roles' | 'signIn'> & SignInFacts>`
      select m.id, m.name, m.email, m.locale, m.preferences ->> 'theme' as theme, m.preferences ->> 'density' as density,
        case when t.id is null then null else jsonb_build_object('id', t.id, 'name', t.name) end as team,
        m.password_set_at as "passwordSetAt", m.password_link_at as "passwordLinkAt", m.second_factor_reset_at as "secondFactorResetAt",
        m.sessions_ended_at as "sessionsEndedAt", m.vouched_at as "vouchedAt", m.vouched_by as "vouchedBy",
        m.unlinked_at as "unlinkedAt", m.unlinked_from as "unlinkedFrom"
      from core.member m left join core.team t on t.workspace = m.workspace and t.id = m.team
      where m.workspace = ${this.#ctx.workspace.id}::uuid and m.id = ${id}::uuid`.execute(this.#ctx.sql)
    const { roles } = await new UserService(this.#ctx).accessOf(id)
    const { id: who, name, email, locale, theme, density, team, ...signIn } = rows[0]!
    const held = roles.map((role) => ({ id: role.id, name: role.name }))
    return { id: who, name, email, locale, roles: held, team, theme, density, signIn }
  }

  async change({ theme, density, ...fields }: MeChange): Promise<Me> {
    const id = this.#user()
    const { records } = this.#ctx.asSystem()
    if (Object.keys(fields).length > 0) {
      const { data } = await records.get(users, id)
      await records.update(users, data, fields)
    }
    const looks = Object.fromEntries(Object.entries({ theme, density }).filter(([, value]) => value !== undefined))
    if (Object.keys(looks).length > 0) {
      // How screens look to one person is no change of a record: it has no version and no line in the ledger.
      await sql`
        update core.member set preferences = preferences || ${JSON.stringify(looks)}::jsonb
        where workspace = ${this.#ctx.workspace.id}::uuid and id = ${id}::uuid`.execute(this.#ctx.sql)
    }
    return this.get()
  }

  #user(): string {
    const { actor } = this.#ctx
    if (actor.type !== 'user' || actor.id === undefined) throw notSignedIn({})
    return actor.id
  }

  async #key(id: string): Promise<Me> {
    const { actor } = this.#ctx
    const { rows } = await sql<{ id: string; name: string; template: string | null }>`
      select r.id, r.name, r.template from core.api_key k join core.role r on r.workspace = k.workspace and r.id = k.role_id
      where k.workspace = ${this.#ctx.workspace.id}::uuid and k.id = ${id}::uuid`.execute(this.#ctx.sql)
    return {
      id,
      name: actor.name,
      email: null,
      locale: actor.locale,
      roles: rows.map((role) => ({ id: role.id, name: roleName(this.#ctx, role) })),
      team: null,
      theme: null,
      density: null,
      signIn: null,
    }
  }
}
