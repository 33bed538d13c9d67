import { defineEntity, p } from '@mikro-orm/core'
import { sql, type SqlBool } from 'kysely'
import { z } from 'zod'
import type { Context } from '../../context.ts'
import type { Audience } from '../audience.ts'
import { defineGuard, defineResource } from '../define-resource.ts'
import type { RecordEngine } from '../engine.ts'
import { validationFailed } from '../errors.ts'
import { recordBase } from '../record-base.ts'
import { isUuid } from '../values.ts'
import { recipeNotFound } from './errors.ts'
import type { ColumnMapping, ImportOptions, RecipeOffer, ValueAlias } from './import.ts'
import { fold } from './resemblance.ts'

const name = z.string().max(200)

export const mappingSchema = z
  .array(
    z.strictObject({
      column: name,
      field: name.nullable(),
      by: name.optional(),
      create: z.boolean().optional(),
      columns: z.array(name).max(20).optional(),
      value: z.string().max(1_000).optional(),
    }),
  )
  .max(1_000)

export const aliasesSchema = z
  .array(
    z.strictObject({
      column: name,
      from: z.string().max(1_000),
      to: z.string().max(1_000),
      rows: z.int().optional(),
      accepted: z.boolean().optional(),
    }),
  )
  .max(10_000)

export const optionsSchema = z.strictObject({
  mode: z.enum(['both', 'create', 'update']).optional(),
  duplicates: z.enum(['refuse', 'skip', 'import', 'update']).optional(),
  dateFormat: z.string().max(40).optional(),
  decimal: z.enum([',', '.']).optional(),
})

const headerSchema = z.array(name).min(1).max(500)

export const ImportRecipeSchema = defineEntity({
  name: 'ImportRecipe',
  schema: 'core',
  tableName: 'import_recipe',
  properties: {
    ...recordBase(),
    name: p.string().length(120),
    resource: p.string().length(120),
    shared: p.boolean().default(false),
    header: p.json<readonly string[]>(),
    headerKey: p.string(),
    mapping: p.json<readonly ColumnMapping[]>(),
    aliases: p.json<readonly ValueAlias[]>().default('[]'),
    key: p.string().length(200).nullable(),
    options: p.json<ImportOptions>().default('{}'),
  },
})

/** How a file with these columns was imported, for the next one that has them. */
export class ImportRecipe extends ImportRecipeSchema.class {}
ImportRecipeSchema.setClass(ImportRecipe)

/** One's own and the shared; changed by whoever made it. */
const readersOfRecipes: Audience = ({ me }, action, alias) => {
  const own = sql<SqlBool>`coalesce(${sql.ref(`${alias}.owner`)} = ${me ?? null}::uuid, false)`
  return action === 'read' || action === 'export' ? sql<SqlBool>`(${own} or ${sql.ref(`${alias}.shared`)})` : own
}

export const importRecipes = defineResource(ImportRecipe, {
  path: 'import-recipes',
  title: 'name',
  icon: 'file-input',
  nav: false,
  audience: readersOfRecipes,
  partner: { person: 'owner' },
  fields: { headerKey: { readonly: true } },
  list: ['name', 'resource', 'shared', 'owner', 'createdAt'],
  form: ['name', 'shared'],
})

const parts = { header: headerSchema, mapping: mappingSchema, aliases: aliasesSchema, options: optionsSchema } as const

/** What is kept must be what an import takes; its columns are compared without case, accents and order. */
export const recipeIsUsable = defineGuard('core.import-recipe', ['create', 'update'], ({ record, set }) => {
  for (const [field, schema] of Object.entries(parts)) {
    const parsed = schema.safeParse(record[field])
    if (parsed.success) continue
    const [fault] = parsed.error.issues
    const path = `/${[field, ...(fault?.path ?? [])].join('/')}`
    const detail = `${field} is not what an import takes: ${fault?.message ?? ''}.`
    throw validationFailed({ count: 1, first: detail }, { errors: [{ path, code: 'TYPE', detail }] })
  }
  set('headerKey', headerKey(headerSchema.parse(record['header'])))
})

export interface Recipe {
  readonly mapping: readonly ColumnMapping[]
  readonly aliases: readonly ValueAlias[]
  readonly key: string | null
  readonly options: ImportOptions
}

function headerKey(header: readonly string[]): string {
  return header.map(fold).toSorted().join('\u0001').slice(0, 2_000)
}

/** Recipes within the actor's reach, as any list of them has it; undefined for who may read none. */
function within(ctx: Context) {
  const { scope } = ctx.records as RecordEngine
  const access = scope.access(scope.catalog.of(importRecipes), 'read')
  if (!access.allowed) return undefined
  return sql`core.import_recipe t
    where t.workspace = ${ctx.workspace.id}::uuid and t.deleted_at is null and ${access.where('t')}`
}

/** Recipes for files with these columns, one's own before those of others. */
export async function recipesFor(ctx: Context, resource: string, header: readonly string[]): Promise<RecipeOffer[]> {
  const recipes = within(ctx)
  if (!recipes) return []
  const { rows } = await sql<RecipeOffer>`
    select t.id, t.name, t.shared, coalesce(t.owner = ${ctx.actor.id ?? null}::uuid, false) as mine from ${recipes}
      and t.resource = ${resource} and t.header_key = ${headerKey(header)}
    order by mine desc, t.updated_at desc limit 20`.execute(ctx.sql)
  return rows
}

/** @throws `IMPORT_RECIPE_NOT_FOUND` (404) */
export async function recipeOf(ctx: Context, resource: string, id: string): Promise<Recipe> {
  const recipes = isUuid(id) ? within(ctx) : undefined
  const { rows } = recipes
    ? await sql<Recipe>`select t.mapping, t.aliases, t.key, t.options from ${recipes}
        and t.resource = ${resource} and t.id = ${id}::uuid`.execute(ctx.sql)
    : { rows: [] }
  const [recipe] = rows
  if (!recipe) throw recipeNotFound({ id: id.slice(0, 60) })
  return recipe
}
