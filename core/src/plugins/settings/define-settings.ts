import type { FieldType } from '../../records/model.ts'
import type { Words } from '../define-plugin.ts'

interface Wording {
  readonly title: Words
  /** One sentence below the title: what it changes, and for whom. */
  readonly help?: Words
}

/** One thing an administrator may choose, as the generated form shows it. */
export interface SettingDefinition<T = unknown> extends Wording {
  readonly type: FieldType | 'secret'
  /** What holds until somebody chooses; without one the setting may be empty. */
  readonly initial?: T
  /** Choices of a `select`, by value, in their order. */
  readonly options?: Readonly<Record<string, Words>>
  readonly min?: number
  readonly max?: number
  readonly maxLength?: number
  /** Only for the type checker. */
  readonly value?: T
}

interface Bounds {
  readonly min?: number
  readonly max?: number
}

type Filled<T> = { readonly initial: T }

function kind<T, More = unknown>(type: SettingDefinition['type']) {
  function make(wording: Wording & More & Filled<T>): SettingDefinition<T>
  function make(wording: Wording & More): SettingDefinition<T | undefined>
  function make(wording: Wording & More & Partial<Filled<T>>): SettingDefinition<T> | SettingDefinition<T | undefined> {
    return { ...wording, type }
  }
  return make
}

function select<const Options extends Readonly<Record<string, Words>>>(
  wording: Wording & { readonly options: Options } & Filled<keyof Options & string>,
): SettingDefinition<keyof Options & string> {
  return { ...wording, type: 'select' }
}

/** Kinds of settings, by the names of the field types they are shown and checked by. A secret is written and never shown. */
export const setting = {
  text: kind<string, { readonly maxLength?: number }>('text'),
  long: kind<string, { readonly maxLength?: number }>('long'),
  integer: kind<number, Bounds>('integer'),
  /** Decimal text, as amounts are in records. */
  decimal: kind<string, Bounds>('decimal'),
  percent: kind<string, Bounds>('percent'),
  /** Minutes. */
  duration: kind<number, Bounds>('duration'),
  boolean: kind<boolean>('boolean'),
  /** `YYYY-MM-DD`. */
  date: kind<string>('date'),
  email: kind<string>('email'),
  url: kind<string>('url'),
  select,
  secret: (wording: Wording): SettingDefinition<string | undefined> => ({ ...wording, type: 'secret' }),
}

/** What a plugin lets each workspace choose. Its value is also its type: `const { graceDays } = await ctx.settings(LoanSettings)`. */
export interface SettingsDefinition<
  S extends Readonly<Record<string, SettingDefinition>> = Readonly<Record<string, SettingDefinition>>,
  Plugin extends string = string,
> {
  readonly plugin: Plugin
  readonly settings: S
}

/** The values of settings as code reads them. */
export type SettingsOf<D extends SettingsDefinition> = {
  readonly [Name in keyof D['settings']]: D['settings'][Name] extends SettingDefinition<infer T> ? T : never
}

/**
 * Declares what an administrator may choose of a plugin. A setting that another version no longer declares is kept and not
 * read.
 *
 * @example
 * export const LoanSettings = defineSettings('loans', {
 *   graceDays: setting.integer({ title: { en: 'Days of grace', fr: 'Jours de grâce' }, initial: 3, min: 0 }),
 * })
 */
export function defineSettings<
  const S extends Readonly<Record<string, SettingDefinition>>,
  const Plugin extends string,
>(plugin: Plugin, settings: S): SettingsDefinition<S, Plugin> {
  return { plugin, settings }
}
