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

export const signInDelayed = defineError<{ seconds: number }>(
  'SIGN_IN_DELAYED',
  429,
  ({ seconds }) =>
    `Too many attempts have failed. Try again in ${seconds} seconds, or ask your administrator for a new password.`,
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
  () => 'You signed in some time ago. Say your password again to change how you sign in.',
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
    `${name} also works in another workspace, so only they can change their password. Ask them to do it under their name, Password.`,
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
  ({ email }) => `You sign in as ${email} already. Sign in, then open this link again to come in here too.`,
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

export const roleInUse = defineError<{ name: string; users: number; keys: number }>(
  'ROLE_IN_USE',
  409,
  ({ name, users, keys }) => `${name} is held by ${users} users and ${keys} API keys. Give them another role first.`,
)

export const grantInvalid = defineError<{ where: string; reason: string }>(
  'GRANT_INVALID',
  422,
  ({ where, reason }) => `The role cannot be kept: ${where}: ${reason}`,
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

export const teamInUse = defineError<{ name: string; members: number; teams: number }>(
  'TEAM_IN_USE',
  409,
  ({ name, members, teams }) => `${name} still has ${members} members and ${teams} teams below it. Move them first.`,
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
