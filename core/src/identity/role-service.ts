import { sql } from 'kysely'
import type { Context } from '../context.ts'
import { isResourceAction } from '../permissions/authority.ts'
import type { FieldGrant, Grant } from '../permissions/grant.ts'
import { partsOfPermission } from '../permissions/named-permission.ts'
import { byName, roleName } from '../permissions/role-names.ts'
import { checkExpression, everyField, parseExpression } from '../records/expression/index.ts'
import type { ResourceCatalog } from '../records/model.ts'
import type { RecordJson, Records } from '../records/records.ts'
import { administratorTemplate } from './administrators.ts'
import { asGrant } from './guards.ts'
import { roles } from './resources.ts'

/** What a role editor sends; a list that is given replaces the one there was. */
export interface RoleChange {
  readonly name?: string
  readonly description?: string
  /** Lines about records. */
  readonly grants?: readonly Grant[]
  /** Ids of permissions without a record: `core.plugin.toggle`. */
  readonly permissions?: readonly string[]
  readonly fields?: readonly FieldGrant[]
  readonly version?: number
}

export interface RoleJson {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly description: string
  readonly template: string | null
  /** The administrator role, which nobody may change. */
  readonly system: boolean
  readonly users: number
  readonly grants: readonly Grant[]
  readonly permissions: readonly string[]
  readonly fields: readonly FieldGrant[]
}

/** Roles as their editor reads and writes them. */
export class RoleService {
  readonly #ctx: Context
  readonly #catalog: ResourceCatalog
  readonly #records: Records

  constructor(ctx: Context, catalog: ResourceCatalog) {
    this.#ctx = ctx
    this.#catalog = catalog
    this.#records = ctx.asSystem().records
  }

  async list(): Promise<RoleJson[]> {
    const page = await this.#records.list(roles, { limit: 200, sort: 'name', count: 'none' })
    return (await this.#described(page.data)).toSorted(byName(this.#ctx.locale))
  }

  async get(id: string): Promise<RoleJson> {
    const { data } = await this.#records.get(roles, id)
    return (await this.#described([data]))[0]!
  }

  /** Makes a role, as a copy of another when `from` names one. */
  async create({ name, description, from, ...lists }: RoleChange & { name: string; from?: string }): Promise<RoleJson> {
    const source = from === undefined ? undefined : await this.get(from)
    const made = await this.#records.create(roles, {
      name,
      description: description ?? source?.description ?? '',
      grants: this.#grants(source, lists),
      fields: lists.fields ?? source?.fields ?? [],
      owner: null,
      team: null,
    })
    return this.get(made.id)
  }

  async change(id: string, { name, description, version, ...lists }: RoleChange): Promise<RoleJson> {
    const before = await this.get(id)
    await this.#records.update(
      roles,
      { id, version: version ?? before.version },
      {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
        ...(lists.grants || lists.permissions ? { grants: this.#grants(before, lists) } : {}),
        ...(lists.fields ? { fields: lists.fields } : {}),
      },
    )
    return this.get(id)
  }

  /** @throws `ROLE_IN_USE` (409) while users or keys hold it */
  async remove(id: string): Promise<void> {
    await this.#records.remove(roles, await this.get(id))
  }

  #grants(source: RoleJson | undefined, { grants, permissions }: Pick<RoleChange, 'grants' | 'permissions'>): Grant[] {
    const named = permissions ?? source?.permissions ?? []
    for (const [index, { resource, condition }] of (grants ?? []).entries()) {
      // A condition under a wildcard meets resources one by one; where it does not fit, it grants nothing.
      const model = this.#catalog.get(resource)
      if (condition === undefined || !model) continue
      asGrant(index, () =>
        checkExpression(parseExpression(condition), { resource: model, catalog: this.#catalog, access: everyField }),
      )
    }
    return [
      ...(grants ?? source?.grants ?? []),
      ...named.map((permission): Grant => ({ ...partsOfPermission(permission), visibility: 'all' })),
    ]
  }

  async #described(records: readonly RecordJson[]): Promise<RoleJson[]> {
    const { rows } = await sql<{ role: string; users: number }>`
      select a.role_id as role, count(*) as users from core.role_assignment a
      join core.member m on m.workspace = a.workspace and m.id = a.user_id and m.state <> 'inactive'
      where a.workspace = ${this.#ctx.workspace.id}::uuid and a.deleted_at is null
        and (a.until is null or a.until > ${this.#ctx.clock.now().toISOString()}::timestamptz)
      group by a.role_id`.execute(this.#ctx.sql)
    const users = new Map(rows.map((row) => [row.role, row.users]))
    return records.map((record) => {
      const grants = record['grants'] as readonly Grant[]
      const template = (record['template'] ?? null) as string | null
      return {
        id: record.id,
        version: record.version,
        name: roleName(this.#ctx, { name: String(record['name']), template }),
        description: String(record['description'] ?? ''),
        template,
        system: template === administratorTemplate,
        users: users.get(record.id) ?? 0,
        grants: grants.filter((grant) => !this.#isNamed(grant)),
        permissions: grants
          .filter((grant) => this.#isNamed(grant))
          .map(({ resource, action }) => `${resource}.${action}`),
        fields: record['fields'] as readonly FieldGrant[],
      }
    })
  }

  /** A plain permission: no records behind it, nothing but granted. */
  #isNamed({ resource, action, condition, deny }: Grant): boolean {
    if (condition !== undefined || deny || action === '*' || resource === '*' || resource.endsWith('.*')) return false
    return this.#catalog.get(resource) === undefined || !isResourceAction(action)
  }
}
