import { api, controls, icon, ProblemError, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { askWith, QuestionDialog } from './records/question-dialog.ts'
import { sentenceOf } from './settings/settings-api.ts'

type Answer = 'free' | 'known' | 'yours'

const fields = [
  { name: 'name', max: 200, placeholder: 'Maison Garonne' },
  { name: 'domain', max: 253, placeholder: 'maison-garonne.fr' },
  { name: 'siren', max: 40, placeholder: '732 829 320' },
] as const

const looks = { free: 'circle-check', known: 'users', yours: 'star' } as const

/** Asks whether a prospect is known here. The answer is one word: whose it is stays theirs. */
export class ShellKnownAccount extends QuestionDialog<undefined, undefined> {
  static override properties = {
    word: { state: true },
    problem: { state: true },
    isBusy: { state: true },
  }
  declare private word: Answer | undefined
  declare private problem: unknown
  declare private isBusy: boolean

  override render() {
    return html`<socle-dialog open .heading=${t('shell.known.title')} @socle-close=${this.closed}>
      <form id="form" @submit=${this.#ask} @input=${this.#forget}>
        <p class="lead">${t('shell.known.lead')}</p>
        ${fields.map((it, at) => this.#field(it, at === 0))}
        <div class="answer" role="status">${this.#said()}</div>
        ${this.problem && !this.#isOfAField() ? html`<p class="problem" role="alert">${icon('circle-alert')}${sentenceOf(this.problem)}</p>` : nothing}
        <button class="visually-hidden" tabindex="-1" aria-hidden="true" type="submit"></button>
      </form>
      <button slot="actions" class="button" @click=${this.close}>${t('shell.close')}</button>
      <button
        slot="actions"
        class="button primary"
        aria-disabled=${this.isBusy ? 'true' : nothing}
        @click=${this.#submit}
      >
        ${t('shell.known.ask')}
      </button>
    </socle-dialog>`
  }

  #field({ name, max, placeholder }: (typeof fields)[number], first: boolean) {
    const fault = this.#fault(name)
    return html`<div class="field">
      <label class="label" for=${name}>${t(`shell.known.${name}`)}</label>
      <input
        class="input"
        id=${name}
        name=${name}
        maxlength=${max}
        autocomplete="off"
        spellcheck="false"
        placeholder=${placeholder}
        ?autofocus=${first}
        aria-invalid=${fault ? 'true' : nothing}
        aria-describedby=${fault ? `${name}-fault` : nothing}
      />
      ${fault ? html`<p class="error" id="${name}-fault">${fault}</p>` : nothing}
    </div>`
  }

  #said() {
    if (!this.word) return nothing
    return html`<p class=${this.word}>
      ${icon(looks[this.word])}<span
        ><strong>${t(`shell.known.is.${this.word}`)}</strong> ${t(`shell.known.then.${this.word}`)}</span
      >
    </p>`
  }

  #fault(field: string): string | undefined {
    return this.problem instanceof ProblemError ? this.problem.at(`/${field}`) : undefined
  }

  #isOfAField(): boolean {
    return fields.some(({ name }) => this.#fault(name) !== undefined)
  }

  // An answer is about what was asked, not about what stands in the fields meanwhile.
  readonly #forget = (): void => {
    this.word = undefined
    this.problem = undefined
  }

  readonly #submit = (): void => {
    this.renderRoot.querySelector<HTMLFormElement>('#form')?.requestSubmit()
  }

  readonly #ask = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (this.isBusy) return
    const values = new FormData(event.target as HTMLFormElement)
    const question = Object.fromEntries(
      fields.flatMap(({ name }) => {
        const value = String(values.get(name)).trim()
        return value ? [[name, value]] : []
      }),
    )
    this.isBusy = true
    this.#forget()
    try {
      this.word = (await api.post<{ answer: Answer }>('/api/core/known-accounts', question)).answer
    } catch (problem) {
      this.problem = problem
    } finally {
      this.isBusy = false
    }
  }

  static override styles = [
    controls,
    css`
      form {
        display: grid;
        gap: 16px;
      }
      .lead {
        margin: 0;
        color: var(--socle-text-2);
      }
      .field {
        display: grid;
        gap: 4px;
      }
      .error {
        margin: 0;
        font: var(--socle-small);
        color: var(--socle-danger);
      }
      .problem,
      .answer p {
        display: flex;
        gap: 10px;
        margin: 0;
        padding: 12px;
        border-radius: 8px;
        background: var(--socle-page);
      }
      /* Stays for screen readers, which hear only what changes in a place they know; takes no room meanwhile. */
      .answer:empty {
        margin-block-start: -16px;
      }
      .problem {
        color: var(--socle-danger);
      }
      .free > svg {
        color: var(--socle-success);
      }
      .known > svg {
        color: var(--socle-warning);
      }
      .yours > svg {
        color: var(--socle-accent);
      }
      svg {
        flex: none;
      }
    `,
  ]
}

/** Opens the dialog; done when it is closed. */
export async function askKnownAccount(): Promise<void> {
  await askWith('shell-known-account', ShellKnownAccount, undefined)
}
