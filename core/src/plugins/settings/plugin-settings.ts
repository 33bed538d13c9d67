import { sql } from 'kysely'
import type { Locale } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Context } from '../../context.ts'
import type { Database, Sql } from '../../database/database.ts'
import type { FieldFault } from '../../errors.ts'
import { Sealed } from '../../identity/sealed.ts'
import { validationFailed, versionConflict } from '../../records/errors.ts'
import type { FieldModel } from '../../records/model.ts'
import { parseValue, sameValue } from '../../records/values.ts'
import { keepPluginEntry } from '../toggle-ledger.ts'
import type { SettingDefinition, SettingsDefinition, SettingsOf } from './define-settings.ts'

export interface SettingsChange {
  readonly workspace: string
  /** User who chooses. */
  readonly by: string | undefined
  /** What they saw; 0 when nothing was ever chosen. */
  readonly version: number
  /** `null` goes back to what the plugin declares; for a secret it takes it away. */
  readonly values: Readonly<Record<string, unknown>>
}

type Chosen = Readonly<Record<string, unknown>>

// Shown in the ledger in the place of a secret, so that its change is seen and it is not.
const hidden = '••••••'

/** What workspaces have chosen for their plugins, and the secrets they gave them. */
export class PluginSettings {
  readonly #owner: Sql
  readonly #clock: Clock
  readonly #sealed: Sealed

  /** @param options.secret - of the installation; secrets sealed with another cannot be read */
  constructor({ database, clock, secret }: { database: Database; clock: Clock; secret: string }) {
    this.#owner = database.owner
    this.#clock = clock
    this.#sealed = new Sealed(secret, 'plugin setting')
  }

  /** The values a plugin's code works with, in its unit of work. A secret that cannot be opened is none. */
  async of<D extends SettingsDefinition>(
    ctx: Pick<Context, 'sql' | 'workspace'>,
    definition: D,
  ): Promise<SettingsOf<D>> {
    const { plugin, settings } = definition
    const { chosen } = await read(ctx.sql, ctx.workspace.id, plugin)
    const hasSecrets = Object.values(settings).some(({ type }) => type === 'secret')
    const secrets = hasSecrets ? await sealedOf(ctx.sql, plugin) : new Map<string, string>()
    const values = Object.entries(settings).map(([name, it]) => [
      name,
      it.type === 'secret' ? this.#open(secrets.get(name), ctx.workspace.id, plugin, name) : valueOf(name, it, chosen),
    ])
    return Object.fromEntries(values) as SettingsOf<D>
  }

  /** The form of an administrator: what may be chosen, what is chosen; of a secret only whether there is one. */
  async form(ctx: Context, { plugin, settings }: SettingsDefinition) {
    const { chosen, version } = await read(ctx.sql, ctx.workspace.id, plugin)
    const secrets = await sealedOf(ctx.sql, plugin)
    return {
      plugin,
      version,
      fields: Object.entries(settings).map(([name, it]) => fieldMeta(name, it, ctx.locale)),
      values: Object.fromEntries(
        Object.entries(settings).map(([name, it]) => [
          name,
          it.type === 'secret' ? null : (valueOf(name, it, chosen) ?? null),
        ]),
      ),
      given: Object.keys(settings).filter((name) => secrets.has(name)),
    }
  }

  /**
   * Keeps what was chosen, and that it was, by whom.
   *
   * @throws `VALIDATION_FAILED` (422) naming each value, `VERSION_CONFLICT` (409) when somebody chose meanwhile
   */
  async choose({ plugin, settings }: SettingsDefinition, change: SettingsChange): Promise<void> {
    const { workspace, by, version, values } = change
    const parsed = parsedValues(settings, values)
    await this.#owner.transaction().execute(async (tx) => {
      await sql`
        insert into core.plugin_setting (workspace, plugin, version) values (${workspace}::uuid, ${plugin}, 0)
        on conflict do nothing`.execute(tx)
      const before = await read(tx, workspace, plugin, { lock: true })
      if (before.version !== version)
        throw versionConflict({
          resource: plugin,
          id: workspace,
          fields: Object.keys(values).join(', '),
          yours: version,
          current: before.version,
        })
      const fields: Record<string, [unknown, unknown]> = {}
      const chosen: Record<string, unknown> = { ...before.chosen }
      for (const [name, value] of parsed) {
        const it = settings[name] as SettingDefinition
        if (it.type === 'secret') {
          await this.#keepSecret(tx, { workspace, plugin, name, value: value as string | null })
          fields[name] = [null, value === null ? null : hidden]
          continue
        }
        const old = valueOf(name, it, before.chosen) ?? null
        if (value === null) delete chosen[name]
        else chosen[name] = value
        const next = valueOf(name, it, chosen) ?? null
        if (!sameValue(old, next)) fields[name] = [old, next]
      }
      const at = this.#clock.now()
      await sql`
        update core.plugin_setting set chosen = ${JSON.stringify(chosen)}::jsonb, version = version + 1, updated_at = ${at.toISOString()}::timestamptz
        where workspace = ${workspace}::uuid and plugin = ${plugin}`.execute(tx)
      if (Object.keys(fields).length > 0) await keepPluginEntry(tx, { workspace, plugin, fields, by, at })
    })
  }

  #open(sealed: string | undefined, workspace: string, plugin: string, name: string): string | undefined {
    return sealed === undefined ? undefined : this.#sealed.open(sealed, bound(workspace, plugin, name))
  }

  async #keepSecret(
    tx: Sql,
    { workspace, plugin, name, value }: { workspace: string; plugin: string; name: string; value: string | null },
  ): Promise<void> {
    if (value === null) {
      await sql`delete from core.plugin_secret where workspace = ${workspace}::uuid and plugin = ${plugin} and name = ${name}`.execute(
        tx,
      )
      return
    }
    const sealed = this.#sealed.seal(value, bound(workspace, plugin, name))
    await sql`
      insert into core.plugin_secret (workspace, plugin, name, sealed) values (${workspace}::uuid, ${plugin}, ${name}, ${sealed})
      on conflict (workspace, plugin, name) do update set sealed = excluded.sealed`.execute(tx)
  }
}

function bound(workspace: string, plugin: string, name: string): string {
  return `${workspace} ${plugin} ${name}`
}

async function read(
  tx: Sql,
  workspace: string,
  plugin: string,
  { lock = false } = {},
): Promise<{ readonly chosen: Chosen; readonly version: number }> {
  const { rows } = await sql<{ chosen: Chosen; version: number }>`
    select chosen, version from core.plugin_setting where workspace = ${workspace}::uuid and plugin = ${plugin}
    ${lock ? sql`for update` : sql``}`.execute(tx)
  return rows[0] ?? { chosen: {}, version: 0 }
}

async function sealedOf(tx: Sql, plugin: string): Promise<Map<string, string>> {
  const { rows } = await sql<{ name: string; sealed: string }>`
    select name, sealed from core.plugin_secrets(${plugin})`.execute(tx)
  return new Map(rows.map(({ name, sealed }) => [name, sealed]))
}

/** What holds: the choice where it still fits what is declared, else what the plugin declares. */
function valueOf(name: string, it: SettingDefinition, chosen: Chosen): unknown {
  const value = chosen[name]
  if (value === undefined) return it.initial
  const parsed = parseValue(fieldOf(name, it), value)
  return parsed.ok && parsed.value !== null ? parsed.value : it.initial
}

function parsedValues(
  settings: SettingsDefinition['settings'],
  values: Readonly<Record<string, unknown>>,
): readonly (readonly [string, unknown])[] {
  const faults: FieldFault[] = []
  const parsed = Object.entries(values).map(([name, value]) => {
    const it = settings[name]
    if (!it) {
      const names = Object.keys(settings).join(', ')
      faults.push({
        path: `/values/${name}`,
        code: 'SETTING_UNKNOWN',
        detail: `"${name}" is not a setting of this module. Its settings are ${names}.`,
        values: { name, names },
      })
      return [name, undefined] as const
    }
    const result = parseValue(fieldOf(name, it), value)
    if (!result.ok) faults.push({ path: `/values/${name}`, ...result.fault })
    return [name, result.ok ? result.value : undefined] as const
  })
  const [first] = faults
  if (first) throw validationFailed({ count: faults.length, first: first.detail }, { errors: faults })
  return parsed
}

/** A setting as a field, so that it is checked and shown as one. */
function fieldOf(name: string, { type, options, min, max, maxLength }: SettingDefinition): FieldModel {
  return {
    name,
    type: type === 'secret' ? 'text' : type,
    column: name,
    required: false,
    readonly: false,
    ...(options ? { options: Object.keys(options).map((value) => ({ value })) } : {}),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(maxLength === undefined ? {} : { maxLength }),
  }
}

function fieldMeta(name: string, it: SettingDefinition, locale: Locale) {
  const { type, title, help, options, initial, maxLength } = it
  return {
    name,
    type,
    label: title[locale],
    ...(help ? { help: help[locale] } : {}),
    required: type !== 'secret' && initial !== undefined,
    ...(options ? { options: Object.entries(options).map(([value, words]) => ({ value, label: words[locale] })) } : {}),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(initial === undefined ? {} : { initial }),
  }
}
