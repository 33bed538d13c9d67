import { api } from '@socle/sdk/ui'

/** Somebody who vouches for people, as a button of the sign-in page. */
export interface ProviderButton {
  readonly id: string
  readonly name: string
  readonly workspace: string
}

/** What has to be asked before a provider's word makes anybody a member, or somebody else. */
export interface SignOnQuestion {
  readonly token: string
  readonly provider: string
  readonly workspace: string
  readonly email: string
  /** They would be in the workspace from now on. */
  readonly joins: boolean
  /** Address of somebody else who is signed in to this browser. */
  readonly signedInAs?: string
}

export type SignOnAnswer =
  | { readonly confirm: SignOnQuestion }
  | { readonly present: true }
  | { readonly returnTo: string; readonly secondFactor?: true }

/** One of them, by the id in an address. @throws `ProblemError` */
export async function providerOf(id: string): Promise<ProviderButton> {
  return (await api.get<{ data: ProviderButton }>(`/api/auth/sign-on/${encodeURIComponent(id)}`)).data
}

/** Those everybody is shown. A door that cannot ask still opens to a password. */
export async function shownProviders(): Promise<readonly ProviderButton[]> {
  return (await api.get<{ data: ProviderButton[] }>('/api/auth/sign-on').catch(() => ({ data: [] }))).data
}

/** Those that may vouch for an address. */
export async function providersOf(email: string): Promise<readonly ProviderButton[]> {
  return (await api.post<{ data: ProviderButton[] }>('/api/auth/sign-on/find', { email }).catch(() => ({ data: [] })))
    .data
}

/** Leaves for the provider's own page. @throws `ProblemError` */
export async function goToProvider(provider: string, returnTo: string): Promise<void> {
  const { data } = await api.post<{ data: { url: string } }>('/api/auth/sign-on/start', { provider, returnTo })
  location.assign(data.url)
}
