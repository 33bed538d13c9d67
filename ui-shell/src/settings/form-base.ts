import { icon, ProblemError, t } from '@socle/sdk/ui'
import { html, nothing } from 'lit'
import { problemLine } from '../problem-line.ts'
import { sentenceOf } from './settings-api.ts'

type Values = Readonly<Record<string, unknown>>

/**
 * What a form was filled from, and what it shows. Only what was changed is saved, against the version that was read: two who
 * change different fields both keep their change, and of one field the second is told.
 */
export class FormBase<T extends { readonly version: number }> {
  base: T
  /** The record as the form shows it: what was read, under what was typed before it was read again. */
  shown: T

  constructor(read: T) {
    this.base = read
    this.shown = read
  }

  /** What of a form's values differs from what was read. */
  changed<V extends Values>(values: V): Partial<V> {
    const base = this.base as unknown as Values
    const own = Object.entries(values).filter(([name, value]) => !isSame(base[name] ?? null, value ?? null))
    return Object.fromEntries(own) as Partial<V>
  }

  /** Somebody else saved meanwhile: theirs is read, and what was typed here stays typed. */
  readAgain(fresh: T, values: Values): void {
    const typed = this.changed(values)
    this.base = fresh
    this.shown = { ...fresh, ...typed }
  }
}

/** Of lists here the order says nothing. */
function isSame(one: unknown, other: unknown): boolean {
  const text = (value: unknown): string =>
    Array.isArray(value)
      ? value
          .map(text)
          .toSorted((a, b) => (a < b ? -1 : 1))
          .join()
      : JSON.stringify(value)
  return text(one) === text(other)
}

/** Why a form was not saved; where somebody else saved meanwhile, with the way to read theirs. */
export function formProblem(problem: unknown, readAgain: () => unknown) {
  if (problem === undefined) return nothing
  if (!(problem instanceof ProblemError) || problem.code !== 'VERSION_CONFLICT') return problemLine(sentenceOf(problem))
  return html`${problemLine(t('shell.settings.conflict'))}
    <button class="button" type="button" @click=${() => void readAgain()}>
      ${icon('rotate-ccw')}${t('shell.settings.readAgain')}
    </button>`
}
