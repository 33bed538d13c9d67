import { defineError } from '../errors.ts'

export const addressUnreadable = defineError<{ channel: string }>(
  'ADDRESS_UNREADABLE',
  422,
  ({ channel }) => `This is no address for ${channel}. Write a mail address, or a phone number with its country code.`,
)

export const consentOfNobody = defineError(
  'CONSENT_OF_NOBODY',
  422,
  () => 'Nobody is named. Say which person it is, which address, or both.',
)

export const consentInTheFuture = defineError<{ at: string }>(
  'CONSENT_IN_THE_FUTURE',
  422,
  ({ at }) => `${at} has not come yet. Give the moment at which the person said it.`,
)

export const proofOfAnother = defineError<{ id: string }>(
  'PROOF_OF_ANOTHER',
  409,
  ({ id }) =>
    `This proof was recorded for something else already, as ${id}. Give each statement a proof key of its own.`,
)

export const addressOfAnother = defineError(
  'ADDRESS_OF_ANOTHER',
  403,
  () =>
    'This is no address of this person. Choose one of theirs, or ask somebody who manages privacy to record it by the address.',
)

export const personUnknown = defineError<{ resource: string; id: string }>(
  'PERSON_UNKNOWN',
  404,
  ({ resource, id }) =>
    `There is no ${resource} "${id}" that you may see. Choose a contact, a lead, or an account that is a person.`,
)

export const accountNoPerson = defineError<{ name: string }>(
  'ACCOUNT_NO_PERSON',
  422,
  ({ name }) =>
    `${name} is an organisation, and only persons object or ask for their data. Choose the contact it is about, or set the account's kind to person.`,
)

export const requestInTheFuture = defineError<{ day: string }>(
  'REQUEST_IN_THE_FUTURE',
  422,
  ({ day }) => `${day} has not come yet. Give the day on which the request came in.`,
)

export const objectionStands = defineError<{ field: string }>(
  'OBJECTION_STANDS',
  409,
  ({ field }) =>
    `${field} follows an objection that was recorded with its proof. Record its reversal under Consent, with what the person agreed to.`,
)

export const subjectErased = defineError(
  'SUBJECT_ERASED',
  409,
  () =>
    'This person was erased at their own request and must not come back by itself. If they return of their own will, an administrator can lift the block under Settings, Privacy.',
)

export const requestNotRehearsed = defineError<{ number: string }>(
  'REQUEST_NOT_REHEARSED',
  409,
  ({ number }) =>
    `${number} was not rehearsed yet. Look first at what would go and what the law keeps: nothing brings it back.`,
)

export const subjectUnknowable = defineError<{ number: string }>(
  'SUBJECT_UNKNOWABLE',
  409,
  ({ number }) =>
    `Whoever ${number} is about was blanked before it ran, so that nobody could be looked for. Make a request for another record of theirs.`,
)

export const requestInRehearsal = defineError<{ number: string }>(
  'REQUEST_IN_REHEARSAL',
  409,
  ({ number }) => `${number} is being rehearsed. Wait until what would go is listed, and look at it first.`,
)

export const certificateNotFound = defineError<{ id: string }>(
  'CERTIFICATE_NOT_FOUND',
  404,
  ({ id }) => `There is no certificate "${id}" here. Open it from its request.`,
)

export const accessFileGone = defineError<{ number: string }>(
  'ACCESS_FILE_GONE',
  410,
  ({ number }) => `The file of ${number} is no longer kept. Make a new access request.`,
)

export const retentionResourceRefused = defineError<{ resource: string }>(
  'RETENTION_RESOURCE_REFUSED',
  422,
  ({ resource }) =>
    `"${resource.slice(0, 60)}" is no kind of record a rule may end. Choose one that people keep in lists.`,
)

export const retentionNotRehearsed = defineError<{ name: string }>(
  'RETENTION_NOT_REHEARSED',
  409,
  ({ name }) =>
    `"${name}" was not rehearsed with this condition. Rehearse it first, look at what would go, then switch it on.`,
)

export const retentionOff = defineError<{ name: string }>(
  'RETENTION_OFF',
  409,
  ({ name }) => `"${name}" is off, and does nothing. Switch it on, then run it.`,
)

export const storesAsleep = defineError<{ plugin: string }>(
  'PRIVACY_STORES_ASLEEP',
  409,
  ({ plugin }) =>
    `The module "${plugin}" is off here and may hold data of persons, which would stay. Switch it on, then run this again.`,
)

export const stillNamed = defineError<{ places: string }>(
  'STILL_NAMED',
  409,
  ({ places }) =>
    `The person is named anew as often as it is taken out, in ${places}. See what writes there, then run this again.`,
)

export const rowHoldsName = defineError<{ place: string; rule: string }>(
  'ROW_HOLDS_NAME',
  409,
  ({ place, rule }) =>
    `A row of ${place} names the person, and its rule ${rule === '' ? 'on lengths' : rule} lets nothing else stand there. Change that row by hand, then run this again.`,
)
