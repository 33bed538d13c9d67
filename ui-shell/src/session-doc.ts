import { ProblemError, api, live, setEarlyWords, setShell, shell } from '@socle/sdk/ui'
import type { Locale, ShellDocument } from '@socle/sdk/ui'
import { rememberLocale } from './preferences.ts'

export type SessionState = 'loading' | 'signed-out' | 'ready' | 'unreachable'

const signedInBefore = 'socle.signed-in'

/** The signed-in session of this tab: fetches the shell document, again whenever the server says it changed. */
class Session extends EventTarget {
  state: SessionState = 'loading'
  /** Why the document could not be read, in state `unreachable`. */
  problem: ProblemError | undefined
  #asked = 0

  /** Reads the document; a failure while one is in force keeps the old one. */
  async load(): Promise<void> {
    const turn = ++this.#asked
    try {
      if (!(await this.#isSignedIn())) return await this.end()
      const document = await api.get<ShellDocument>('/api/core/shell')
      if (turn !== this.#asked) return
      const before = shell()
      rememberLocale(document.user.locale)
      localStorage.setItem(signedInBefore, '1')
      setShell(document)
      this.#become('ready')
      this.dispatchEvent(new CustomEvent('document', { detail: { before, now: document } }))
      live.start()
    } catch (problem) {
      if (turn === this.#asked) await this.#failed(problem)
    }
  }

  // A first visit asks what answers quietly: a refusal of the document would stand in the browser's console as an error.
  async #isSignedIn(): Promise<boolean> {
    if (shell() || localStorage.getItem(signedInBefore)) return true
    return (await fetch('/api/auth/get-session', { headers: { accept: 'application/json' } }))
      .text()
      .then((text) => text.length > 4)
  }

  async #failed(problem: unknown): Promise<void> {
    if (problem instanceof ProblemError && problem.status === 401) return await this.end()
    if (shell()) return
    this.problem = problem instanceof ProblemError ? problem : undefined
    await loadEarlyWords(earlyLocale())
    this.#become('unreachable')
  }

  /** @throws `ProblemError`, e.g. of status 401 for a wrong password */
  async signIn(email: string, password: string): Promise<void> {
    await api.post('/api/auth/sign-in/email', { email, password, rememberMe: true })
    localStorage.setItem(signedInBefore, '1')
    await this.load()
  }

  async signOut(): Promise<void> {
    await api.post('/api/auth/sign-out', {})
    await this.end()
  }

  /** Shows the sign-in page; what was on screen goes with the document. */
  async end(): Promise<void> {
    live.stop()
    localStorage.removeItem(signedInBefore)
    await loadEarlyWords(earlyLocale())
    setShell(undefined)
    this.#become('signed-out')
  }

  #become(state: SessionState): void {
    this.state = state
    this.dispatchEvent(new Event('change'))
  }
}

export function earlyLocale(): Locale {
  return document.documentElement.lang === 'fr' ? 'fr' : 'en'
}

/** Words for pages shown before anybody signed in. They stand in a chunk of their own: a signed-in tab never loads it. */
export async function loadEarlyWords(locale: Locale): Promise<void> {
  const words = locale === 'fr' ? await import('./early-words-fr.ts') : await import('./early-words-en.ts')
  setEarlyWords(words.earlyWords)
  rememberLocale(locale)
}

export const session = new Session()
