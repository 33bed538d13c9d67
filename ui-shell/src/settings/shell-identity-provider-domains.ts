import { KitElement, api, controls, format, icon, pill, t } from '@socle/sdk/ui'
import { css, html, nothing } from 'lit'
import { problemLine } from '../problem-line.ts'
import { copy, sentenceOf } from './settings-api.ts'
import type { DomainProof, IdentityProvider } from './settings-api.ts'
import { settingsStyles } from './settings-styles.ts'

/**
 * Proves that the domains a provider speaks for are the company's own: what to publish in the DNS, and a look whether it is
 * there.
 *
 * @fires close - it is done, or was left
 * @fires proved - one more domain is proved
 */
export class ShellIdentityProviderDomains extends KitElement {
  static override properties = {
    provider: { attribute: false },
    problem: { state: true },
    checking: { state: true },
  }
  declare provider: IdentityProvider
  declare problem: string | undefined
  /** The domain that is looked at. */
  declare checking: string | undefined

  override render() {
    const { name, proofs } = this.provider
    const close = () => this.dispatchEvent(new CustomEvent('close'))
    return html`
      <socle-dialog open .heading=${t('shell.providers.domainsOf', { name })} @socle-close=${close}>
        ${problemLine(this.problem)}
        <p class="lead">${t('shell.providers.proveText')}</p>
        <ul class="proofs">
          ${proofs.map((proof) => this.#proof(proof))}
        </ul>
        <button slot="actions" class="button primary" @click=${close}>${t('shell.close')}</button>
      </socle-dialog>
    `
  }

  #proof({ domain, isProved, missed, name, value }: DomainProof) {
    const isBusy = this.checking === domain
    const isFound = isProved && !missed
    return html`
      <li>
        <p class="line">
          <span class="name">${domain}</span>
          ${
            isFound
              ? pill(t('shell.providers.proved'), 'success', 'check')
              : missed?.isSuspended
                ? pill(t('shell.providers.suspended'), 'danger', 'circle-alert')
                : pill(t(missed ? 'shell.providers.missing' : 'shell.providers.unproved'), 'warning', 'clock')
          }
        </p>
        ${
          missed
            ? html`<p>
                ${t(`shell.providers.${missed.isSuspended ? 'suspendedText' : 'missingText'}`, { since: format.date(missed.since) })}
              </p>`
            : nothing
        }
        ${
          isFound
            ? nothing
            : html`${this.#copied(t('shell.providers.recordName'), name)}
                ${this.#copied(t('shell.providers.recordValue'), value)}
                <button
                  class="button"
                  aria-disabled=${isBusy ? 'true' : nothing}
                  @click=${() => void this.#check(domain)}
                >
                  ${icon('rotate-ccw')}${t(isBusy ? 'shell.providers.checking' : 'shell.providers.checkNow')}
                </button>`
        }
      </li>
    `
  }

  #copied(what: string, value: string) {
    const label = t('shell.providers.copyOne', { what })
    return html`
      <p class="meta">${what}</p>
      <p class="secret">
        <code>${value}</code>
        <button class="icon-button" aria-label=${label} title=${label} @click=${() => void copy(value)}>
          ${icon('copy')}
        </button>
      </p>
    `
  }

  async #check(domain: string): Promise<void> {
    if (this.checking) return
    this.problem = undefined
    this.checking = domain
    try {
      const path = `/api/core/identity-providers/${this.provider.id}/check-domain`
      this.provider = (await api.post<{ data: IdentityProvider }>(path, { domain })).data
      this.dispatchEvent(new CustomEvent('proved'))
    } catch (problem) {
      this.problem = sentenceOf(problem)
    } finally {
      this.checking = undefined
    }
  }

  static override styles = [
    controls,
    settingsStyles,
    css`
      .proofs {
        display: grid;
        gap: 24px;
        padding: 0;
        list-style: none;
      }
      .proofs li {
        display: grid;
        justify-items: start;
        gap: 8px;
        min-inline-size: 0;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      .secret {
        inline-size: 100%;
      }
    `,
  ]
}
