import { defineError } from '../errors.ts'

export const eventUndeclared = defineError<{ event: string; version: number; plugin: string }>(
  'EVENT_UNDECLARED',
  500,
  ({ event, version, plugin }) =>
    `No loaded plugin declares the event ${event} in version ${version}, so ${plugin} cannot tell it. List it under "emits" in the plugin that owns it.`,
)

export const eventForeign = defineError<{ event: string; plugin: string; owner: string }>(
  'EVENT_FOREIGN',
  500,
  ({ event, plugin, owner }) =>
    `${plugin} cannot tell ${event}, which is an event of ${owner}. A module tells its own alone; let ${owner} provide a service that tells it.`,
)

export const eventInvalid = defineError<{ event: string; fault: string }>(
  'EVENT_INVALID',
  500,
  ({ event, fault }) =>
    `The payload of ${event} does not match its declaration: ${fault}. Correct the payload, or raise the event's version.`,
)

export const eventKeyInvalid = defineError<{ event: string; key: string }>(
  'EVENT_KEY_INVALID',
  500,
  ({ event, key }) => `The key "${key}" of ${event} is not a UUID. Use the id of the record the event is about.`,
)

export const eventVersionUnheard = defineError<{ subscription: string; event: string; told: number; hears: number }>(
  'EVENT_VERSION_UNHEARD',
  500,
  ({ subscription, event, told, hears }) =>
    `${subscription} was owed ${event} in version ${told} and now hears version ${hears}. Give the subscriber of version ${hears} an id of its own, and keep the other until nothing waits for it.`,
)

export const handlerTimedOut = defineError<{ subscription: string; seconds: number }>(
  'HANDLER_TIMED_OUT',
  500,
  ({ subscription, seconds }) =>
    `${subscription} took longer than ${seconds} seconds. Make its work smaller, or hand it to a job.`,
)

export const subscriptionUnknown = defineError<{ subscription: string }>(
  'SUBSCRIPTION_UNKNOWN',
  404,
  ({ subscription }) =>
    `No loaded module has the subscriber "${subscription}". GET /api/core/events/subscribers lists those there are.`,
)

export const deadLetterNotFound = defineError<{ subscription: string; event: string }>(
  'DEAD_LETTER_NOT_FOUND',
  404,
  ({ subscription, event }) =>
    `${subscription} has no dead letter of event ${event}. Somebody may have redriven or skipped it meanwhile: look at the list again.`,
)

export const replayUnderWay = defineError<{ subscription: string; job: string }>(
  'REPLAY_UNDER_WAY',
  409,
  ({ subscription, job }) =>
    `Past events are being told to ${subscription} already, by job ${job}. Wait for its end, or cancel it.`,
)
