import { sql } from 'kysely'
import type { Context } from '../context.ts'
import type { FieldGrant, Grant } from '../permissions/grant.ts'
import { partsOfPermission } from '../permissions/named-permission.ts'
import { byName, roleName } from '../permissions/role-names.ts'
import type { RecordJson, Records } from '../records/records.ts'
import { administratorTemplate } from './administrators.ts'
import { demandSoundLines, isOfRecords, type RoleLines } from './demand-sound-lines.ts'
import type { PermissionCatalogue } from './permission-catalogue.ts'
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
  readonly #offered: PermissionCatalogue
  readonly #records: Records

  /** @param offered - what there is to be granted */
  constructor(ctx: Context, offered: PermissionCatalogue) {
    this.#ctx = ctx
    this.#offered = offered
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
      ...this.#lines(source, lists),
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
        ...(lists.grants || lists.permissions || lists.fields ? this.#lines(before, lists) : {}),
      },
    )
    return this.get(id)
  }

  /** @throws `ROLE_IN_USE` (409) while users or keys hold it */
  async remove(id: string): Promise<void> {
    await this.#records.remove(roles, await this.get(id))
  }

  /** The lines of a role with those replaced that are given. */
  #lines(before: RoleJson | undefined, given: Partial<RoleLines>): { grants: Grant[]; fields: readonly FieldGrant[] } {
    const lines: RoleLines = {
      grants: given.grants ?? before?.grants ?? [],
      permissions: given.permissions ?? before?.permissions ?? [],
      fields: given.fields ?? before?.fields ?? [],
    }
    demandSoundLines(lines, before, this.#offered)
    const named = lines.permissions.map((id): Grant => ({ ...partsOfPermission(id), visibility: 'all' }))
    return { grants: [...lines.grants, ...named], fields: lines.fields }
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
    const model = this.#offered.catalog.get(resource)
    return model === undefined || !isOfRecords(model, action)
  }
}
