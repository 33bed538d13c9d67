import { defineError } from '../errors.ts'

export const eventUndeclared = defineError<{ event: string; version: number; plugin: string }>(
  'EVENT_UNDECLARED',
  500,
  ({ event, version, plugin }) =>
    `No loaded plugin declares the event ${event} in version ${version}, so ${plugin} cannot tell it. List it under "emits" in the plugin that owns it.`,
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

export const handlerTimedOut = defineError<{ subscription: string; seconds: number }>(
  'HANDLER_TIMED_OUT',
  500,
  ({ subscription, seconds }) =>
    `${subscription} took longer than ${seconds} seconds. Make its work smaller, or hand it to a job.`,
)
