import { api, ProblemError } from '@socle/sdk/ui'

/** Whether this browser can make and use passkeys, and speaks of them in JSON (all since 2025). */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential
}

/** Asks for any passkey of this site; undefined when its owner chose none. */
export async function askPasskey(): Promise<unknown> {
  const { data } = await api.post<{ data: PublicKeyCredentialRequestOptionsJSON }>('/api/auth/passkey/options', {})
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(data)
  const credential = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential | null
  return credential?.toJSON()
}

/** Opens a session with a passkey. */
export async function signInByPasskey(): Promise<void> {
  const response = await askPasskey()
  if (response) await api.post('/api/auth/sign-in/passkey', { response, rememberMe: true })
}

/** Makes a passkey on this device; undefined when its owner chose none. */
export async function newPasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential | null
  return credential?.toJSON()
}

/** Makes a passkey and registers it under a name. */
export async function makePasskey(name: string): Promise<void> {
  const { data } = await api.post<{ data: PublicKeyCredentialCreationOptionsJSON }>('/api/core/me/passkeys/options', {})
  const response = await newPasskey(data)
  if (response) await api.post('/api/core/me/passkeys', { name, response })
}

/** What to say when a passkey did not come about: the server's sentence, or none when its owner only closed the dialog. */
export function passkeyProblem(problem: unknown): 'closed' | 'known' | ProblemError | 'failed' {
  if (problem instanceof ProblemError) return problem
  if (problem instanceof DOMException && problem.name === 'NotAllowedError') return 'closed'
  if (problem instanceof DOMException && problem.name === 'InvalidStateError') return 'known'
  return 'failed'
}
