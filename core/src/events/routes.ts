import { z } from 'zod'
import type { Context } from '../context.ts'
import { defineRoute, type PluginDefinition, type RouteDefinition } from '../plugins/define-plugin.ts'
import type { RecordEngine } from '../records/engine.ts'
import type { EngineScope } from '../records/scope.ts'
import { redrive, skip } from './dead-letters.ts'
import { listDeliveries, listEvents, openStates } from './event-lists.ts'
import { startReplay } from './replay.ts'
import { listEventKinds, listSubscribers } from './subscribers.ts'

const subscription = z.string().min(1).max(200)
const state = z.enum(openStates)
const listQuery = z.strictObject({
  event: z.string().max(200).optional(),
  record: z.uuid().optional(),
  subscription: subscription.optional(),
  after: z.string().max(400).optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
})
const eventView = z.object({
  id: z.uuid(),
  name: z.string(),
  version: z.int(),
  resource: z.string().nullable(),
  record: z.uuid(),
  at: z.string(),
  changeSet: z.uuid().nullable(),
  payload: z.unknown().describe('As far as you may read it; null where its record is not yours to see.'),
  hidden: z.array(z.string()).describe('Names of what was left out of the payload.'),
})
const page = z.object({ next: z.string().nullable() })

const scopeOf = (ctx: Context): EngineScope => (ctx.records as RecordEngine).scope

/**
 * What was told, to whom, and what became of it.
 *
 * @param loaded - the plugins of this process
 */
export function eventRoutes(loaded: (workspace: string) => readonly PluginDefinition[]): readonly RouteDefinition[] {
  return [
    defineRoute({
      method: 'get',
      path: '/events',
      permission: 'core.event.read',
      summary: 'What was told, newest first, and what became of it at each subscriber',
      query: listQuery,
      answer: z.object({
        data: z.array(
          eventView.extend({
            told: z.array(z.object({ subscription: z.string(), state: z.enum([...openStates, 'done', 'skipped']) })),
          }),
        ),
        page,
      }),
      handle: async ({ query }, ctx) => {
        const { data, next } = await listEvents(scopeOf(ctx), query)
        return { data: data.map((it) => ({ ...it, hidden: [...it.hidden], told: [...it.told] })), page: { next } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/events/deliveries',
      permission: 'core.event.read',
      summary: 'Deliveries that wait, are held, failed for good (dead letters) or are blocked behind one that has',
      query: listQuery.extend({ state: state.default('dead') }),
      answer: z.object({
        data: z.array(
          z.object({
            subscription: z.string(),
            state,
            attempts: z.int(),
            dueAt: z.string().nullable(),
            lastError: z.string().nullable().describe('Null where you may not see all of the record.'),
            blocks: z.boolean(),
            behind: z.int().describe('Later events of its record that wait for it.'),
            waitsFor: z.uuid().nullable().describe('The event of the dead letter that a blocked one waits for.'),
            event: eventView,
          }),
        ),
        page,
      }),
      handle: async ({ query: { state: wanted, ...query } }, ctx) => {
        const { data, next } = await listDeliveries(scopeOf(ctx), wanted, query)
        const plain = data.map((it) => ({ ...it, event: { ...it.event, hidden: [...it.event.hidden] } }))
        return { data: plain, page: { next } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/events/subscribers',
      permission: 'core.event.read',
      summary: 'Who hears what, how many deliveries are open, and which versions of events are told',
      answer: z.object({
        data: z.object({
          subscribers: z.array(
            z.object({
              id: z.string(),
              plugin: z.string(),
              pluginTitle: z.string().describe('In your language; its id where the plugin is not loaded.'),
              event: z.string(),
              version: z.int().nullable(),
              changed: z.array(z.string()).nullable(),
              whileDisabled: z.enum(['hold', 'drop']),
              afterDeadLetter: z.enum(['hold-record', 'continue']),
              enabled: z.boolean(),
              waiting: z.int(),
              held: z.int(),
              dead: z.int(),
              blocked: z.int(),
            }),
          ),
          kinds: z.array(
            z.object({
              name: z.string(),
              version: z.int(),
              plugin: z.string(),
              outdated: z.boolean(),
              heardBy: z.array(z.string()),
            }),
          ),
        }),
      }),
      handle: async (_, ctx) => {
        const scope = scopeOf(ctx)
        const subscribers = await listSubscribers(scope)
        const kinds = await listEventKinds(scope, loaded(ctx.workspace.id), subscribers)
        return {
          data: {
            subscribers: subscribers.map(({ changed, ...it }) => ({
              ...it,
              pluginTitle: it.plugin === 'core' ? 'Socle' : scope.moduleTitle(it.plugin),
              changed: changed ? [...changed] : null,
            })),
            kinds: kinds.map((it) => ({ ...it, heardBy: [...it.heardBy] })),
          },
        }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/events/redrive',
      permission: 'core.event.redrive',
      summary: 'Give a dead letter, or all of a subscriber, all tries again; what waits behind follows in order',
      body: z.strictObject({ subscription, event: z.uuid().optional() }),
      answer: z.object({ data: z.object({ redriven: z.int(), left: z.int() }) }),
      handle: async ({ body }, ctx) => ({ data: await redrive(scopeOf(ctx), body) }),
    }),
    defineRoute({
      method: 'post',
      path: '/events/skip',
      permission: 'core.event.skip',
      summary: 'End a dead letter unheard, with a reason that the audit keeps; what waits behind goes on',
      body: z.strictObject({ subscription, event: z.uuid(), reason: z.string().trim().min(3).max(500) }),
      answer: z.object({ data: z.object({ freed: z.int() }) }),
      handle: async ({ body }, ctx) => ({ data: await skip(scopeOf(ctx), body) }),
    }),
    defineRoute({
      method: 'post',
      path: '/events/replay',
      permission: 'core.event.replay',
      summary: 'Tell a subscriber past events again under their ids; what was done is left out unless "again"',
      body: z
        .strictObject({
          subscription,
          from: z.iso.datetime({ offset: true }).optional(),
          to: z.iso.datetime({ offset: true }).optional(),
          record: z.uuid().optional(),
          again: z.boolean().optional(),
        })
        .refine(({ from, to }) => from === undefined || to === undefined || Date.parse(from) <= Date.parse(to), {
          path: ['to'],
          params: { code: 'SPAN_BACKWARDS' },
        }),
      answer: z.object({ data: z.object({ job: z.uuid() }) }),
      status: 202,
      handle: async ({ body }, ctx) => ({ data: { job: await startReplay(ctx, body) } }),
    }),
  ]
}
