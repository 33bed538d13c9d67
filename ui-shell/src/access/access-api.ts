import { html, nothing } from 'lit'
import type { TemplateResult } from 'lit'

export interface Share {
  readonly id: string
  readonly record: string
  readonly with: { readonly kind: 'user' | 'team' | 'partner'; readonly id: string; readonly name: string | null }
  readonly access: 'read' | 'write'
  readonly until: string | null
  readonly reason: string | null
  /** False once its time is over, or when whom it was given to no longer works here. */
  readonly holds: boolean
  readonly by: string | null
  readonly at: string
}

export interface SharedWithMe extends Share {
  readonly resource: string
  /** Of the record. */
  readonly title: string
  /** What its kind is called. */
  readonly name: string
}

export interface SharedPage {
  readonly data: readonly SharedWithMe[]
  readonly page: { readonly next: string | null }
}

/** A condition, whether it holds, and the conditions it is made of. */
export interface ConditionTree {
  readonly text: string
  readonly result: boolean
  readonly of?: readonly ConditionTree[]
}

export interface Line {
  readonly code: string
  readonly text: string
  readonly because?: ConditionTree
}

export interface Verdict {
  readonly actor: { readonly id: string; readonly name: string }
  readonly allowed: boolean
  /** It is not the same for all records, and none was named. */
  readonly depends: boolean
  readonly decides: Line
  readonly reasons: readonly Line[]
  readonly changes: readonly Line[]
}

export interface Reader {
  readonly id: string
  readonly name: string
  readonly because: readonly Line[]
}

/** Where access is checked, with the question as far as it is known. */
export function checkHref(question: {
  readonly actor?: string
  readonly resource?: string
  readonly record?: string
}): string {
  return `/settings/access?${new URLSearchParams(question)}`
}

/** A condition and its parts, each with what became of it. */
export function conditionLines(
  tree: ConditionTree | undefined,
  words: (result: boolean) => string,
): TemplateResult | typeof nothing {
  if (!tree) return nothing
  return html`<ul class="tree">
    <li>
      <code>${tree.text}</code> <span class="meta">${words(tree.result)}</span>
      ${tree.of?.map((part) => conditionLines(part, words))}
    </li>
  </ul>`
}
