import { sql } from 'kysely'
import { z } from 'zod'
import type { Sql } from '../../database/database.ts'
import { fieldGrantSchema, grantSchema } from '../../permissions/grant.ts'
import { extensionColumns } from '../../records/sides/define-extension.ts'
import { sideFieldName } from '../../records/sides/side.ts'
import { keepEntry } from '../toggle-ledger.ts'
import { asOwnerIn, everyWorkspace, viewing } from './as-owner.ts'
import { tablesOf } from './tables.ts'

/** What a role held of a plugin. */
export const grantLine = z.strictObject({
  workspace: z.uuid(),
  role: z.uuid(),
  template: z.string().nullable(),
  grants: z.array(grantSchema),
  fields: z.array(fieldGrantSchema),
})
export type GrantLine = z.infer<typeof grantLine>

interface RoleRow {
  readonly id: string
  readonly version: number
  readonly template: string | null
  readonly grants: GrantLine['grants']
  readonly fields: GrantLine['fields']
  readonly live: boolean
}

/** A field that a plugin adds to a resource of others. */
export interface SideField {
  readonly resource: string
  readonly field: string
}

export interface Taking {
  readonly plugin: string
  readonly workspaces: readonly string[]
  readonly sides: readonly SideField[]
  /** Roles it offered no longer say so, and would be offered anew. */
  readonly forgetTemplates: boolean
  readonly at: Date
}

/** Whether a line gives rights to the plugin alone: to its records, or to fields it puts beside those of others. */
export function isGrantOf({ template, grants, fields }: GrantLine, plugin: string): boolean {
  const isOfIt = (name: string) => name.startsWith(`${plugin}.`)
  const side = sideFieldName(plugin, '')
  const isBeside = (field: string) => field.startsWith(side) && /^[A-Z]/.test(field.slice(side.length))
  return (
    (template === null || isOfIt(template)) &&
    grants.every(({ resource }) => isOfIt(resource)) &&
    fields.every(({ resource, field }) => isOfIt(resource) || isBeside(field))
  )
}

/**
 * Fields that a plugin adds to resources of others, as its side tables tell where its code does not run: those that a role
 * names.
 */
export async function sidesByTables(owner: Sql, plugin: string): Promise<readonly SideField[]> {
  const beside = new Set(
    (await tablesOf(owner, plugin)).flatMap(({ name, columns }) => {
      const [, entity] = /\.ext_(.+)$/.exec(name) ?? []
      if (entity === undefined) return []
      return columns
        .filter((column) => !extensionColumns.has(column.name))
        .map((column) => `${entity.replaceAll('_', '-')} ${sideFieldName(plugin, propertyOf(column.name))}`)
    }),
  )
  const sides = new Map<string, SideField>()
  for (const workspace of beside.size > 0 ? await everyWorkspace(owner) : [])
    for (const { fields } of await asOwnerIn(owner, workspace, (tx) => rolesOf(tx, workspace)))
      for (const { resource, field } of fields)
        if (beside.has(`${resource.slice(resource.indexOf('.') + 1)} ${field}`))
          sides.set(`${resource} ${field}`, { resource, field })
  return [...sides.values()]
}

/** `member_since` → `memberSince`. */
function propertyOf(column: string): string {
  return column.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** What roles hold of a plugin, as an archive keeps it. */
export async function grantsOf(
  owner: Sql,
  plugin: string,
  sides: readonly SideField[],
  workspaces: readonly string[],
): Promise<GrantLine[]> {
  const lines: GrantLine[] = []
  for (const workspace of workspaces) {
    const roles = await asOwnerIn(owner, workspace, (tx) => rolesOf(tx, workspace))
    for (const role of roles) {
      const line = heldBy(role, workspace, plugin, sides)
      if (line) lines.push(line)
    }
  }
  return lines
}

/**
 * Takes out of every role what it held of a plugin, and keeps that in the ledger.
 *
 * @param take - is handed what a workspace's roles held, in the transaction that takes it
 */
export async function takeGrants(
  owner: Sql,
  { plugin, workspaces, sides, forgetTemplates, at }: Taking,
  take: (tx: Sql, lines: readonly GrantLine[]) => Promise<void>,
): Promise<void> {
  for (const workspace of workspaces) {
    await asOwnerIn(owner, workspace, async (tx) => {
      const lines: GrantLine[] = []
      for (const role of await rolesOf(tx, workspace, { lock: true })) {
        const line = heldBy(role, workspace, plugin, sides)
        if (!line || (line.grants.length === 0 && line.fields.length === 0 && !forgetTemplates)) continue
        lines.push(line)
        await changeRole(tx, workspace, role, {
          grants: role.grants.filter((it) => !line.grants.includes(it)),
          fields: role.fields.filter((it) => !line.fields.includes(it)),
          template: forgetTemplates && line.template !== null ? null : role.template,
          at,
        })
      }
      await take(tx, lines)
    })
  }
}

/** Gives roles back what they held, where they are still there and do not hold it again already. */
export async function giveGrants(owner: Sql, lines: readonly GrantLine[], at: Date): Promise<void> {
  await owner.transaction().execute((tx) => giveGrantsIn(tx, lines, at))
}

/** The same in a transaction of the owner's, which has the last of the workspaces in view afterwards. */
export async function giveGrantsIn(tx: Sql, lines: readonly GrantLine[], at: Date): Promise<void> {
  for (const [workspace, some] of Map.groupBy(lines, (line) => line.workspace)) {
    await viewing(tx, workspace)
    const roles = new Map((await rolesOf(tx, workspace, { lock: true })).map((role) => [role.id, role]))
    for (const line of some) {
      const role = roles.get(line.role)
      if (!role) continue
      const grants = merged(role.grants, line.grants)
      const fields = merged(role.fields, line.fields)
      const template = role.template ?? line.template
      const isSame = grants.length === role.grants.length && fields.length === role.fields.length
      if (!isSame || template !== role.template) await changeRole(tx, workspace, role, { grants, fields, template, at })
    }
  }
}

/** What a role holds of a plugin; nothing where it neither holds anything nor was offered by it. */
function heldBy(role: RoleRow, workspace: string, plugin: string, sides: readonly SideField[]): GrantLine | undefined {
  const isOfIt = (name: string) => name.startsWith(`${plugin}.`)
  const grants = role.grants.filter(({ resource }) => isOfIt(resource))
  const fields = role.fields.filter(
    ({ resource, field }) =>
      isOfIt(resource) || sides.some((side) => side.resource === resource && side.field === field),
  )
  const template = role.template !== null && isOfIt(role.template) ? role.template : null
  if (grants.length === 0 && fields.length === 0 && template === null) return undefined
  return { workspace, role: role.id, template, grants, fields }
}

async function rolesOf(tx: Sql, workspace: string, { lock = false } = {}): Promise<readonly RoleRow[]> {
  const { rows } = await sql<RoleRow>`
    select id, version, template, grants, fields, deleted_at is null as live from core.role
    where workspace = ${workspace}::uuid order by id ${lock ? sql`for update` : sql``}`.execute(tx)
  return rows
}

async function changeRole(
  tx: Sql,
  workspace: string,
  role: RoleRow,
  { grants, fields, template, at }: Pick<RoleRow, 'grants' | 'fields' | 'template'> & { readonly at: Date },
): Promise<void> {
  const version = role.version + 1
  await sql`
    update core.role set grants = ${JSON.stringify(grants)}::jsonb, fields = ${JSON.stringify(fields)}::jsonb,
      template = ${template}, version = ${version}, updated_at = ${at.toISOString()}::timestamptz, updated_by = null
    where workspace = ${workspace}::uuid and id = ${role.id}::uuid`.execute(tx)
  const changed = {
    grants: [role.grants, grants],
    fields: [role.fields, fields],
    template: [role.template, template],
  } as const
  const differing = Object.entries(changed).filter(([, [from, to]]) => JSON.stringify(from) !== JSON.stringify(to))
  await keepEntry(tx, {
    workspace,
    resource: 'core.role',
    record: role.id,
    version,
    fields: Object.fromEntries(differing),
    by: undefined,
    at,
  })
}

function merged<T>(held: readonly T[], back: readonly T[]): T[] {
  const known = new Set(held.map((it) => JSON.stringify(sorted(it))))
  return [...held, ...back.filter((it) => !known.has(JSON.stringify(sorted(it))))]
}

/** PostgreSQL keeps the keys of a JSON object in an order of its own. */
function sorted(value: unknown): unknown {
  return Object.entries(value as Record<string, unknown>).toSorted(([a], [b]) => (a < b ? -1 : 1))
}
