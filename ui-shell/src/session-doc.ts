import { ProblemError, api, live, setEarlyWords, setShell, shell } from '@socle/sdk/ui'
import type { Locale, ShellDocument } from '@socle/sdk/ui'
import { rememberLocale } from './preferences.ts'

export type SessionState = 'loading' | 'link' | 'sign-on' | 'signed-out' | 'second-factor' | 'ready' | 'unreachable'

/** What somebody has beside their password, as `GET /api/core/me/second-factor` answers it. */
export interface SecondFactorState {
  /** Since when signing in asks for a code of their app. */
  readonly since: string | null
  readonly recoveryCodesLeft: number
  readonly passkeys: number
  /** Whether this session was opened with more than a password. */
  readonly strong: boolean
  /** Names of their workspaces that want more than a password. */
  readonly demandedBy: readonly string[]
}

const signedInBefore = 'socle.signed-in'

/** The signed-in session of this tab: fetches the shell document, again whenever the server says it changed. */
class Session extends EventTarget {
  state: SessionState = 'loading'
  /** Why the document could not be read, in state `unreachable`. */
  problem: ProblemError | undefined
  /** Known in state `second-factor`. */
  secondFactor: SecondFactorState | undefined
  /** The password was right and a code is wanted: the door goes on from there. */
  isCodeWanted = false
  /** Whose session ended by itself, while they were at work: they are asked to come back. */
  ended: ShellDocument['user'] | undefined
  /** A link to be opened again by who signs in first. */
  #link = ''
  #asked = 0

  /** Reads the document; a failure while one is in force keeps the old one. */
  async load(): Promise<void> {
    const turn = ++this.#asked
    try {
      if (!(await this.#isSignedIn())) return await this.end()
      const document = await api.get<ShellDocument>('/api/core/shell')
      const before = shell()
      // A page that is older than the files it asks for goes on with what it has.
      if (before) await import('./plugin-modules.ts').then((it) => it.prepare(document)).catch(() => undefined)
      if (turn !== this.#asked) return
      rememberLocale(document.user.locale)
      localStorage.setItem(signedInBefore, '1')
      setShell(document)
      this.#become('ready')
      this.dispatchEvent(new CustomEvent('document', { detail: { before, now: document } }))
      this.ended = undefined
      live.start()
    } catch (problem) {
      if (turn === this.#asked) await this.#failed(problem)
    }
  }

  // A first visit asks what answers quietly: a refusal of the document would stand in the browser's console as an error.
  async #isSignedIn(): Promise<boolean> {
    return shell() !== undefined || localStorage.getItem(signedInBefore) !== null || (await this.#isKnown())
  }

  /** Whether this browser has a session, asked without a refusal. */
  async #isKnown(): Promise<boolean> {
    const answer = await fetch('/api/auth/get-session', { headers: { accept: 'application/json' } })
    return answer.ok && (await answer.text()).length > 4
  }

  async #failed(problem: unknown): Promise<void> {
    if (problem instanceof ProblemError && problem.status === 401) return await this.lose()
    if (problem instanceof ProblemError && problem.code === 'SECOND_FACTOR_NEEDED') return await this.#strengthen()
    if (shell()) return
    this.problem = problem instanceof ProblemError ? problem : undefined
    await loadEarlyWords(earlyLocale())
    this.#become('unreachable')
  }

  /** A password alone is not enough: the way in leads by setting up what is missing. */
  async #strengthen(): Promise<void> {
    live.stop()
    this.secondFactor = (await api.get<{ data: SecondFactorState }>('/api/core/me/second-factor')).data
    await loadEarlyWords(earlyLocale())
    setShell(undefined)
    this.#become('second-factor')
  }

  /**
   * @returns whether a code of an authenticator app is wanted too
   * @throws `ProblemError`, e.g. of status 401 for a wrong password
   */
  async signIn(email: string, password: string): Promise<'in' | 'code'> {
    const answer = await api.post<{ secondFactor?: true }>('/api/auth/sign-in/email', {
      email,
      password,
      rememberMe: true,
    })
    if (answer.secondFactor) return 'code'
    await this.enter()
    return 'in'
  }

  /** Opens the page of a link somebody passed on, `/welcome#…`; whoever sits here may be signed in already. */
  async openLink(): Promise<void> {
    await loadEarlyWords(earlyLocale())
    this.#become('link')
  }

  /** Opens the page between here and an identity provider, `/sign-on/…`. */
  async openSignOn(): Promise<void> {
    await loadEarlyWords(earlyLocale())
    this.#become('sign-on')
  }

  leaveLink(): void {
    history.replaceState(null, '', '/')
    location.reload()
  }

  signInFirst(token: string): void {
    this.#link = token
    this.#become('signed-out')
  }

  /** What the link was for is done: in by it, or one step before. */
  async cameByLink({ isCodeWanted }: { isCodeWanted: boolean }): Promise<void> {
    await this.cameThrough('/', { isCodeWanted })
  }

  /** In, or one step before, on the way to a path of ours. */
  async cameThrough(path: string, { isCodeWanted }: { isCodeWanted: boolean }): Promise<void> {
    history.replaceState(null, '', path)
    this.isCodeWanted = isCodeWanted
    if (isCodeWanted) return this.#become('signed-out')
    localStorage.setItem(signedInBefore, '1')
    location.reload()
  }

  /** The second step. @throws `ProblemError` */
  async signInByCode(code: string): Promise<void> {
    await api.post('/api/auth/sign-in/second-factor', { code })
    await this.enter()
  }

  /** The server has opened a session: reads what it is for. */
  async enter(): Promise<void> {
    localStorage.setItem(signedInBefore, '1')
    this.isCodeWanted = false
    if (!this.#link) return await this.load()
    // Back to the link that asked for it.
    history.replaceState(null, '', `/welcome#${this.#link}`)
    this.#link = ''
    this.#become('link')
  }

  async signOut(): Promise<void> {
    await api.post('/api/auth/sign-out', {})
    this.ended = undefined
    await this.end()
  }

  /** The session is over, by its time or by somebody: several answers may say so. */
  async lose(): Promise<void> {
    this.ended ??= shell()?.user
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
