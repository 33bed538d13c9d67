import { shell } from '@socle/sdk/ui'

export interface Draft {
  readonly at: string
  readonly values: Readonly<Record<string, unknown>>
}

function keyOf(name: string): string {
  const document = shell()
  return `socle.draft.${document?.workspace.id}.${document?.user.id}.${name}`
}

/** What was typed and neither saved nor discarded; it outlives the tab. */
export function readDraft(name: string): Draft | undefined {
  try {
    const text = localStorage.getItem(keyOf(name))
    return text ? (JSON.parse(text) as Draft) : undefined
  } catch {
    return undefined
  }
}

export function keepDraft(name: string, values: Readonly<Record<string, unknown>>): void {
  try {
    localStorage.setItem(keyOf(name), JSON.stringify({ at: new Date().toISOString(), values }))
  } catch {
    // Storage is full or forbidden: the text still stands in the form.
  }
}

export function dropDraft(name: string): void {
  try {
    localStorage.removeItem(keyOf(name))
  } catch {
    // Nothing was kept either.
  }
}
