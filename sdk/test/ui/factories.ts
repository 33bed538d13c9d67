import type { FieldMeta, FieldType, Locale, ShellDocument } from '../../ui/types.ts'

/** The document of a French company, for a reader of either language. */
export function shellOf(locale: Locale, words: Record<string, string> = {}, zone = 'Europe/Paris'): ShellDocument {
  return {
    generation: 1,
    user: { id: 'u1', name: 'Claire Roux', email: 'claire@acme.example', locale },
    workspace: { id: 'w1', name: 'Acme', slug: 'acme', baseCurrency: 'EUR', locale: 'fr', zone },
    workspaces: [],
    may: [],
    plugins: [],
    resources: [],
    views: [],
    screens: [],
    nav: [],
    fills: [],
    commands: [],
    words,
  }
}

export function fieldOf(type: FieldType, more: Partial<FieldMeta> = {}): FieldMeta {
  return { name: 'field', type, label: 'Field', required: false, writable: true, sortable: true, ...more }
}
