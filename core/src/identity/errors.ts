import { defineError } from '../errors.ts'

export const notSignedIn = defineError(
  'NOT_SIGNED_IN',
  401,
  () => 'This needs a signed-in user or an API key. Sign in, or send the key as "Authorization: Bearer socle_…".',
)

export const sessionExpired = defineError(
  'SESSION_EXPIRED',
  401,
  () => 'Your session has ended. Sign in again; what you have typed is still in this tab.',
)

export const credentialsWrong = defineError(
  'CREDENTIALS_WRONG',
  401,
  () =>
    'This e-mail address and password do not belong together. Check both, or ask your administrator for a new password.',
)

export const signInDelayed = defineError<{ seconds: number; by: 'source' | 'account' }>(
  'SIGN_IN_DELAYED',
  429,
  ({ seconds, by }) =>
    by === 'account'
      ? `Too many attempts to sign in with this address have failed, from many places. Try again in ${seconds} seconds, sign in from a browser that has signed in with it before, or use a passkey.`
      : `Too many attempts have failed. Try again in ${seconds} seconds, or ask your administrator for a new password.`,
)

export const questionsDelayed = defineError<{ seconds: number }>(
  'QUESTIONS_DELAYED',
  429,
  ({ seconds }) => `Too many sign-ins were begun from your network. Try again in ${seconds} seconds.`,
)

export const secondFactorWrong = defineError(
  'SECOND_FACTOR_WRONG',
  401,
  () => 'This code is wrong or was used already. Wait for the next one in your app, or use one of your recovery codes.',
)

export const signInStepGone = defineError(
  'SIGN_IN_STEP_GONE',
  401,
  () => 'More than ten minutes have passed since your password. Begin again with your e-mail address and password.',
)

export const secondFactorNeeded = defineError(
  'SECOND_FACTOR_NEEDED',
  403,
  () =>
    'A password alone is not enough here. Set up an authenticator app or a passkey, or sign in again with the one you have.',
)

export const secondFactorOn = defineError(
  'SECOND_FACTOR_ON',
  409,
  () => 'An authenticator app is set up already. Remove it first to set up another.',
)

export const secondFactorOff = defineError(
  'SECOND_FACTOR_OFF',
  409,
  () => 'No authenticator app is set up, so there are no recovery codes. Set one up first.',
)

export const secondFactorNotBegun = defineError(
  'SECOND_FACTOR_NOT_BEGUN',
  409,
  () => 'There is no secret for your app yet. Begin the set-up again.',
)

export const secondFactorDemanded = defineError<{ workspace: string }>(
  'SECOND_FACTOR_DEMANDED',
  409,
  ({ workspace }) =>
    `${workspace} demands more than a password of everybody. Set up another app or passkey before you remove the last one.`,
)

export const confirmationNeeded = defineError(
  'CONFIRMATION_NEEDED',
  403,
  () =>
    'This asks whether it is still you, because you showed it some time ago. Confirm it with POST /api/core/me/presence, then do this again.',
)

export const presenceOfAnother = defineError<{ provider: string }>(
  'PRESENCE_OF_ANOTHER',
  403,
  ({ provider }) => `You signed in at ${provider} as somebody else than here. Sign in there as yourself.`,
)

export const presenceNotShown = defineError<{ provider: string }>(
  'PRESENCE_NOT_SHOWN',
  403,
  ({ provider }) =>
    `${provider} let you pass without asking who you are, or does not say when it asked. Sign out there and try again, or confirm with a passkey, an app or your password.`,
)

export const lastWayIn = defineError(
  'LAST_WAY_IN',
  409,
  () => 'This is the only way in you have. Choose a password or add a passkey first.',
)

export const passkeyRefused = defineError(
  'PASSKEY_REFUSED',
  401,
  () => 'This passkey did not open the door. Try again, choose another passkey, or sign in with your password.',
)

export const passkeyKnown = defineError(
  'PASSKEY_KNOWN',
  409,
  () => 'This passkey is registered already. Choose another device or security key.',
)

export const viewAsReadOnly = defineError<{ name: string }>(
  'VIEW_AS_READ_ONLY',
  403,
  ({ name }) => `You see this as ${name}, and only to read. Stop viewing as ${name} to change something yourself.`,
)

export const viewAsEnded = defineError<{ name: string }>(
  'VIEW_AS_ENDED',
  403,
  ({ name }) => `You no longer see this as ${name}. Load the page again to go on as yourself.`,
)

export const viewAsSelf = defineError(
  'VIEW_AS_SELF',
  422,
  () => 'This is your own name: you see the workspace as yourself already. Choose somebody else.',
)

export const viewAsMore = defineError<{ name: string }>(
  'VIEW_AS_MORE',
  403,
  ({ name }) => `${name} may see or do something that you may not. Let somebody look whose roles allow all of it.`,
)

export const signInPathUnknown = defineError<{ path: string }>(
  'SIGN_IN_PATH_UNKNOWN',
  404,
  ({ path }) =>
    `There is nothing at ${path}. Sign in with POST /api/auth/sign-in/email, out with POST /api/auth/sign-out.`,
)

export const originRefused = defineError<{ origin: string }>(
  'ORIGIN_REFUSED',
  403,
  ({ origin }) =>
    `A page of ${origin} may not act in your session. Use Socle's own pages, or let your administrator add it to the trusted origins.`,
)

export const workspaceNotYours = defineError<{ workspace: string }>(
  'WORKSPACE_NOT_YOURS',
  403,
  ({ workspace }) =>
    `You are no active member of the workspace "${workspace}". Choose one of yours, or ask its administrator to invite you.`,
)

export const noWorkspace = defineError(
  'NO_WORKSPACE',
  403,
  () => 'You are not an active member of any workspace. Ask an administrator to let you in again.',
)

export const slugTaken = defineError<{ slug: string }>(
  'SLUG_TAKEN',
  409,
  ({ slug }) => `There is already a workspace "${slug}". Choose another short name.`,
)

export const apiKeyUnknown = defineError<{ start: string }>(
  'API_KEY_UNKNOWN',
  401,
  ({ start }) =>
    `There is no API key that begins with "${start}" and ends as this one does. Check that it was copied whole, or make a new one in API keys.`,
)

export const apiKeyRevoked = defineError<{ name: string; at: string }>(
  'API_KEY_REVOKED',
  401,
  ({ name, at }) => `The API key "${name}" was revoked on ${at}. Make a new one in API keys.`,
)

export const endIsPast = defineError<{ until: string }>(
  'END_IS_PAST',
  422,
  ({ until }) => `${until} is over. Give a later instant, or leave it out so that it holds for good.`,
)

export const apiKeyExpired = defineError<{ name: string; at: string }>(
  'API_KEY_EXPIRED',
  401,
  ({ name, at }) => `The API key "${name}" expired on ${at}. Make a new one in API keys.`,
)

export const apiKeySecretReplaced = defineError<{ name: string; at: string }>(
  'API_KEY_SECRET_REPLACED',
  401,
  ({ name, at }) => `The API key "${name}" has a new secret; this older one ended on ${at}. Use the new one.`,
)

export const apiKeyRotating = defineError<{ name: string; until: string }>(
  'API_KEY_ROTATING',
  409,
  ({ name, until }) =>
    `"${name}" has two secrets already; the older one works until ${until}. End it before you make a third.`,
)

export const apiKeyNotRotating = defineError<{ name: string }>(
  'API_KEY_NOT_ROTATING',
  409,
  ({ name }) => `"${name}" has one secret alone, so there is no older one to end. Revoke the key to refuse it.`,
)

export const apiKeyOldTooLong = defineError<{ until: string; longest: string; days: number }>(
  'API_KEY_OLD_TOO_LONG',
  422,
  ({ until, longest, days }) =>
    `An old secret works for ${days} days at most, until ${longest}, and not until ${until}. Choose an earlier day.`,
)

export const apiKeyIsRevoked = defineError<{ name: string }>(
  'API_KEY_IS_REVOKED',
  409,
  ({ name }) => `"${name}" was revoked and takes no new secret. Make a new key.`,
)

export const apiKeyOutlivesMaker = defineError<{ maker: string; until: string }>(
  'API_KEY_OUTLIVES_MAKER',
  422,
  ({ maker, until }) =>
    `"${maker}" ends on ${until} and makes no key that goes on longer. Choose an end before that, or make the key yourself in API keys.`,
)

export const apiKeyMoreThanMaker = defineError<{ name: string; maker: string }>(
  'API_KEY_MORE_THAN_MAKER',
  403,
  ({ name, maker }) =>
    `"${name}" may do more than "${maker}", the key that made it, so it is refused. Give both the same role, or make a new key yourself in API keys.`,
)

export const apiKeyGivesMore = defineError<{ maker: string; role: string }>(
  'API_KEY_GIVES_MORE',
  403,
  ({ maker, role }) =>
    `"${maker}" may not do all that the role "${role}" allows, so it makes no key with it. Choose a role it holds itself, or make the key yourself in API keys.`,
)

export const apiKeyOfOthers = defineError<{ name: string; maker: string }>(
  'API_KEY_OF_OTHERS',
  403,
  ({ name, maker }) =>
    `"${maker}" gives new secrets to itself and to the keys it made, and "${name}" is neither. Do it yourself in API keys.`,
)

export const apiKeyAddressRefused = defineError<{ name: string; address: string }>(
  'API_KEY_ADDRESS_REFUSED',
  403,
  ({ name, address }) =>
    `The API key "${name}" may not be used from ${address}. Add the address to the key's list, or call from one that is there.`,
)

export const addressInvalid = defineError<{ address: string }>(
  'ADDRESS_INVALID',
  422,
  ({ address }) => `"${address}" is neither an address nor a network. Write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32.`,
)

export const passwordTooShort = defineError<{ least: number }>(
  'PASSWORD_TOO_SHORT',
  422,
  ({ least }) => `A password needs at least ${least} characters. A sentence of a few words is easy to keep in mind.`,
)

export const passwordTooLong = defineError<{ most: number }>(
  'PASSWORD_TOO_LONG',
  422,
  ({ most }) => `A password may have at most ${most} characters. Choose a shorter one.`,
)

export const passwordIsTheirs = defineError<{ name: string }>(
  'PASSWORD_IS_THEIRS',
  409,
  ({ name }) =>
    `${name} also works in another workspace, so no link of one of them changes this password. Signed in, it is changed under Security.`,
)

export const secondFactorIsTheirs = defineError<{ name: string }>(
  'SECOND_FACTOR_IS_THEIRS',
  409,
  ({ name }) =>
    `${name} also works in another workspace, so only they can change how they sign in. Ask them to use a recovery code.`,
)

export const linkGone = defineError(
  'LINK_GONE',
  410,
  () =>
    'This link was used already, was replaced by a newer one, or is too old. Ask whoever gave it to you for a new one.',
)

export const linkNeedsSignIn = defineError<{ email: string }>(
  'LINK_NEEDS_SIGN_IN',
  403,
  ({ email }) =>
    `You sign in as ${email} already. Give the password you have, or sign in and open this link again, to come in here too.`,
)

export const passwordMissing = defineError(
  'PASSWORD_MISSING',
  422,
  () => 'A link needs a password to go with it, or a passkey. Choose one of the two.',
)

export const invitationOpen = defineError<{ name: string }>(
  'INVITATION_OPEN',
  409,
  ({ name }) => `${name} has not accepted the invitation yet. Make a new link and pass it on.`,
)

export const invitationAccepted = defineError<{ name: string }>(
  'INVITATION_ACCEPTED',
  409,
  ({ name }) => `${name} is in already: there is no invitation to renew or withdraw. Deactivate them to keep them out.`,
)

export const alreadyMember = defineError<{ email: string; name: string }>(
  'ALREADY_MEMBER',
  409,
  ({ email, name }) =>
    `${email} is already here, as ${name}. Open that person and activate them, or use another address.`,
)

export const administratorNeeded = defineError<{ name: string }>(
  'ADMINISTRATOR_NEEDED',
  409,
  ({ name }) => `${name} is the last active administrator. Make somebody else administrator first.`,
)

export const administratorRoleFixed = defineError(
  'ADMINISTRATOR_ROLE_FIXED',
  409,
  () =>
    'The administrator role always has every right, so that nobody locks the workspace. Make a role of your own and change that.',
)

export const roleInUse = defineError<{ name: string; users: number; keys: number; providers: number }>(
  'ROLE_IN_USE',
  409,
  ({ name, users, keys, providers }) =>
    `${name} is held by ${users} users and ${keys} API keys, and given by ${providers} identity providers. Give them another role first.`,
)

export const grantInvalid = defineError<{ where: string; reason: string }>(
  'GRANT_INVALID',
  422,
  ({ where, reason }) => `The role cannot be kept: ${where}: ${reason}`,
)

/** @param hint - a name that is near, or `none` */
export const grantUnknown = defineError<{ where: string; value: string; hint: string }>(
  'GRANT_UNKNOWN',
  422,
  ({ where, value, hint }) =>
    `The role cannot be kept: ${where} names "${value}", which is not there. ${hint === 'none' ? 'GET /api/core/permissions names all there is.' : `Did you mean "${hint}"?`}`,
)

export const grantTwice = defineError<{ where: string; first: string }>(
  'GRANT_TWICE',
  422,
  ({ where, first }) => `The role cannot be kept: ${where} says again what ${first} says. Leave one of the two out.`,
)

export const membershipOverlaps = defineError<{ name: string; from: string; to: string }>(
  'MEMBERSHIP_OVERLAPS',
  409,
  ({ name, from, to }) =>
    `${name} is in this team from ${from} until ${to} already. Change that membership, or choose days outside of it.`,
)

export const membershipBackwards = defineError<{ from: string; to: string }>(
  'MEMBERSHIP_BACKWARDS',
  422,
  ({ from, to }) => `A membership from ${from} cannot be over on ${to}. Choose a later last day.`,
)

export const teamCycle = defineError<{ name: string; parent: string }>(
  'TEAM_CYCLE_REFUSED',
  409,
  ({ name, parent }) =>
    `${parent} is ${name} itself or below it, so ${name} cannot be put under it. Choose a team outside of it.`,
)

export const teamInUse = defineError<{ name: string; members: number; teams: number; providers: number }>(
  'TEAM_IN_USE',
  409,
  ({ name, members, teams, providers }) =>
    `${name} still has ${members} members, ${teams} teams below it and ${providers} identity providers whose people join it. Move them first.`,
)

export const memberNotActive = defineError<{ name: string }>(
  'MEMBER_NOT_ACTIVE',
  409,
  ({ name }) => `${name} is not active here, so nothing can be handed to them. Choose a colleague who is.`,
)

export const ownDeactivation = defineError(
  'OWN_DEACTIVATION_REFUSED',
  409,
  () => 'You cannot deactivate yourself. Ask another administrator to do it.',
)

export const internalRight = defineError<{ name: string; role: string; permission: string }>(
  'INTERNAL_RIGHT',
  409,
  ({ name, role, permission }) =>
    `${name} works for a partner and may not hold "${role}": its right ${permission} is for the people of the house alone. Give a role without it.`,
)

export const partnersMissing = defineError<{ user: string }>(
  'PARTNERS_MISSING',
  422,
  ({ user }) => `No partner is named for whom ${user} stands. Name one, or release them to make them one of the house.`,
)

export const signOnUnknown = defineError(
  'SIGN_ON_UNKNOWN',
  404,
  () => 'This way to sign in is not there or is switched off. Sign in another way, or ask your administrator.',
)

export const signOnGone = defineError(
  'SIGN_ON_GONE',
  401,
  () =>
    'This sign-in was not begun in this browser, was used already, or took longer than ten minutes. Begin again on the sign-in page.',
)

export const signOnUnreached = defineError<{ provider: string }>(
  'SIGN_ON_UNREACHED',
  502,
  ({ provider }) =>
    `${provider} cannot be reached at this moment. Try again, or sign in another way; an administrator can test it in the settings.`,
)

export const signOnDeclined = defineError<{ provider: string; reason: string }>(
  'SIGN_ON_DECLINED',
  401,
  ({ provider, reason }) => `${provider} did not let you in (${reason}). Try again, or ask whoever runs ${provider}.`,
)

/** Why an answer of a provider is not believed. */
const distrust: Readonly<Record<string, string>> = {
  signature: 'its signature is missing or not one of this provider’s',
  audience: 'it is meant for another service',
  recipient: 'it was sent to another address than ours',
  issuer: 'it comes from another provider',
  expired: 'it is too old or not valid yet',
  request: 'it answers another question than ours',
  status: 'it says no',
  subject: 'it names nobody for good',
  form: 'it cannot be read',
  other: 'it does not add up',
}

export const signOnRefused = defineError<{ provider: string; reason: string }>(
  'SIGN_ON_REFUSED',
  401,
  ({ provider, reason }) =>
    `The answer of ${provider} cannot be trusted: ${distrust[reason] ?? distrust['other']}. Begin again; if it stays, tell your administrator what stands here.`,
)

export const signOnEmailMissing = defineError<{ provider: string }>(
  'SIGN_ON_EMAIL_MISSING',
  403,
  ({ provider }) =>
    `${provider} does not say your e-mail address. Let its administrator send the address along (scope or attribute "email").`,
)

export const signOnEmailUnverified = defineError<{ provider: string; email: string }>(
  'SIGN_ON_EMAIL_UNVERIFIED',
  403,
  ({ provider, email }) =>
    `${provider} has not verified that ${email} is yours. Confirm the address there, then sign in again.`,
)

export const signOnDomainRefused = defineError<{ provider: string; email: string }>(
  'SIGN_ON_DOMAIN_REFUSED',
  403,
  ({ provider, email }) =>
    `${provider} may not vouch for ${email} here. Use an address of your company, or ask your administrator to add its domain.`,
)

export const signOnDomainUnproved = defineError<{ provider: string; workspace: string; domain: string; email: string }>(
  'SIGN_ON_DOMAIN_UNPROVED',
  403,
  ({ provider, workspace, domain, email }) =>
    `${provider} may not vouch for ${email} yet: ${workspace} has not proved that ${domain} is its own. An administrator can do so in the settings, under identity providers; until then sign in another way.`,
)

export const signOnDomainLost = defineError<{ provider: string; workspace: string; domain: string; email: string }>(
  'SIGN_ON_DOMAIN_LOST',
  403,
  ({ provider, workspace, domain, email }) =>
    `${provider} lets in nobody new with an address like ${email} for now: what showed that ${domain} belongs to ${workspace} is no longer found in its DNS. An administrator can publish it again or invite you.`,
)

export const signOnNotInvited = defineError<{ email: string; workspace: string }>(
  'SIGN_ON_NOT_INVITED',
  403,
  ({ email, workspace }) =>
    `Nobody has invited ${email} to ${workspace} yet. Ask an administrator there for an invitation.`,
)

export const signOnDeactivated = defineError<{ email: string; workspace: string }>(
  'SIGN_ON_DEACTIVATED',
  403,
  ({ email, workspace }) => `${email} is deactivated in ${workspace}. Ask an administrator there to let you in again.`,
)

export const signOnConfirmFirst = defineError<{ provider: string; email: string }>(
  'SIGN_ON_CONFIRM_FIRST',
  403,
  ({ provider, email }) =>
    `${email} already signs in here another way. Sign in that way first, then open the sign-in address of ${provider} once in the same browser.`,
)

export const signOnOtherAccount = defineError<{ provider: string; email: string }>(
  'SIGN_ON_OTHER_ACCOUNT',
  409,
  ({ provider, email }) =>
    `${email} came in by another account of ${provider} before. If the address has passed to somebody else, an administrator must take that link away first.`,
)

export const signOnNeeded = defineError<{ provider: string; workspace: string }>(
  'SIGN_ON_NEEDED',
  403,
  ({ provider, workspace }) => `${workspace} lets you in through ${provider} alone. Sign in with ${provider}.`,
)

export const signOnBound = defineError(
  'SIGN_ON_BOUND',
  403,
  () =>
    'You came in through an identity provider, which speaks for one workspace alone. Sign in with your own password or passkey to do this.',
)

export const returnRefused = defineError<{ path: string }>(
  'RETURN_REFUSED',
  422,
  ({ path }) => `"${path}" does not lead to a page of Socle. Give a path that begins with one /.`,
)

/** What a provider cannot do without. */
const lacking: Readonly<Record<string, string>> = {
  domains: 'a domain of e-mail addresses',
  clientId: 'a client id',
  entryPoint: 'a sign-in address',
  certificates: 'a certificate',
  role: 'a role for whom it lets in',
  other: 'its issuer',
}

export const providerIncomplete = defineError<{ name: string; missing: string }>(
  'PROVIDER_INCOMPLETE',
  422,
  ({ name, missing }) =>
    `${name} cannot be used without ${lacking[missing] ?? lacking['other']}. Fill it in, or leave the provider switched off.`,
)

export const domainInvalid = defineError<{ domain: string }>(
  'DOMAIN_INVALID',
  422,
  ({ domain }) => `"${domain}" is no domain of e-mail addresses. Write it as in example.com.`,
)

export const domainNotProved = defineError<{ domain: string; name: string; value: string }>(
  'DOMAIN_NOT_PROVED',
  422,
  ({ domain, name, value }) =>
    `No TXT record "${value}" was found at ${name}, so ${domain} is not proved. Publish it with whoever keeps the domain's DNS; new records can take an hour to be seen. Then check again.`,
)

export const certificateInvalid = defineError<{ start: string }>(
  'CERTIFICATE_INVALID',
  422,
  ({ start }) =>
    `What begins with "${start}" is no X.509 certificate. Paste it as the provider gives it, with or without its BEGIN and END lines.`,
)

/** Why metadata of a provider cannot be used. */
const unfit: Readonly<Record<string, string>> = {
  xml: 'it is no XML',
  descriptor: 'it describes no identity provider',
  entryPoint: 'it names no sign-in address',
  certificates: 'it holds no signing certificate',
  other: 'it cannot be used',
}

export const metadataInvalid = defineError<{ reason: string }>(
  'METADATA_INVALID',
  422,
  ({ reason }) =>
    `This is no metadata of a SAML identity provider: ${unfit[reason] ?? unfit['other']}. Take the file or address your provider calls "IdP metadata".`,
)

export const administratorLockedOut = defineError<{ provider: string }>(
  'ADMINISTRATOR_LOCKED_OUT',
  409,
  ({ provider }) =>
    `Without ${provider} no administrator could sign in: none has a password or passkey of their own. Set one up first, then change it.`,
)
