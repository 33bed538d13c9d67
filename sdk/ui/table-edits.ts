import { ProblemError } from './api.ts'
import type { RecordJson } from './types.ts'

interface OpenEdit {
  readonly id: string
  readonly field: string
  /** As it stood when the edit began: what others save meanwhile must not pass for seen. */
  readonly row: RecordJson
}

interface CellEdit {
  readonly value: unknown
  readonly error?: string
}

/** Edits of a table's cells: the one being typed, those on their way to the server, and those it refused. */
export class CellEdits {
  readonly #changed: () => void
  readonly #edits = new Map<string, CellEdit>()
  #open: OpenEdit | undefined
  #typed: string | undefined

  constructor(changed: () => void) {
    this.#changed = changed
  }

  get open(): OpenEdit | undefined {
    return this.#open
  }

  /** What was typed to start the edit and replaces the value; `undefined` when it goes on from the value. */
  get typed(): string | undefined {
    return this.#typed
  }

  isOpen(id: string, field: string): boolean {
    return this.#open?.id === id && this.#open.field === field
  }

  /** A value not yet confirmed by the server, with its refusal. */
  at(id: string, field: string): CellEdit | undefined {
    return this.#edits.size === 0 ? undefined : this.#edits.get(key(id, field))
  }

  start(row: RecordJson, field: string, typed?: string): void {
    this.#open = { id: row.id, field, row }
    this.#typed = typed
    this.#changed()
  }

  /** Keys pressed before the editor is there are typed all the same. */
  type(key: string): void {
    if (key === 'Backspace') this.#typed = this.#typed?.slice(0, -1) ?? ''
    else if (key.length === 1) this.#typed = (this.#typed ?? '') + key
    this.#changed()
  }

  close(): void {
    this.#open = undefined
    this.#typed = undefined
    this.#changed()
  }

  forget(id: string, field: string): void {
    if (this.#edits.delete(key(id, field))) this.#changed()
  }

  /**
   * Shows the value until the write is answered.
   *
   * @throws the refusal's sentence; the value stays until it is saved or given up
   */
  async save(id: string, field: string, value: unknown, saved: Promise<unknown>): Promise<void> {
    const edit: CellEdit = { value }
    this.#edits.set(key(id, field), edit)
    this.#changed()
    try {
      await saved
      if (this.#edits.get(key(id, field)) === edit) this.forget(id, field)
    } catch (error) {
      const reason = sentence(error, field)
      if (this.#edits.get(key(id, field)) === edit) this.#edits.set(key(id, field), { value, error: reason })
      this.#changed()
      throw reason
    }
  }
}

const key = (id: string, field: string) => `${id} ${field}`

function sentence(error: unknown, field: string): string {
  if (error instanceof ProblemError) return error.at(field) ?? error.detail
  return error instanceof Error ? error.message : String(error)
}
