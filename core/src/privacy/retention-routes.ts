import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { requestJob } from '../jobs/index.ts'
import { defineRoute, type RouteDefinition } from '../plugins/define-plugin.ts'
import type { RecordEngine } from '../records/engine.ts'
import { versionRequired } from '../records/errors.ts'
import { retentionOff } from './errors.ts'
import { compiled, demandRunnable, mayEnd, rehearseRule, retentionKind, ruleOf, type Rule } from './retention.ts'
import { retentionRules } from './retention-rule.ts'

const id = z.object({ id: z.uuid() })
const values = {
  name: z.string().trim().min(1).max(120),
  resource: z.string().max(120),
  condition: z.string().trim().min(1).max(5_000),
  action: z.enum(['delete', 'anonymise']),
  graceDays: z.int().min(0).max(3650),
  active: z.boolean(),
}
const answer = z.object({ data: z.looseObject({ id: z.uuid(), version: z.int() }) })
const run = z.object({
  id: z.uuid(),
  action: z.enum(['delete', 'anonymise']),
  condition: z.string(),
  matched: z.int(),
  gone: z.int(),
  /** Of those, what stays as a row without a word: anonymised, or a person that something still points at. */
  blanked: z.int(),
  held: z.int(),
  used: z.int(),
  certificate: z.uuid().nullable(),
  at: z.string(),
})

/** What decides which records go, and when: a name does not. */
const weighty = ['active', 'condition', 'action', 'graceDays'] as const

export const retentionRoutes: readonly RouteDefinition[] = [
  defineRoute({
    method: 'get',
    path: '/privacy/retention-resources',
    permission: 'core.privacy.read',
    summary: 'Kinds of records a retention rule may be for',
    answer: z.object({ data: z.array(z.object({ id: z.string(), label: z.string() })) }),
    handle: async (_, ctx) => {
      const { scope } = ctx.records as RecordEngine
      const kinds = scope.catalog.all().filter((it) => scope.exists(it) && mayEnd(it))
      return { data: kinds.map(({ id: resource }) => ({ id: resource, label: ctx.t(`${resource}.many`) })) }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/privacy/retention-rules',
    permission: 'core.privacy.manage',
    summary: 'Say how long a kind of record is kept',
    body: z.strictObject({ ...values, active: values.active.optional(), graceDays: values.graceDays.optional() }),
    answer,
    status: 201,
    handle: async ({ body }, ctx) => {
      compiled(body, (ctx.records as RecordEngine).scope)
      if (body.active === true) demandRunnable(ctx, { ...body, rehearsed: null })
      return { data: await ctx.asSystem().records.create(retentionRules, body, { internal: true }) }
    },
  }),
  defineRoute({
    method: 'patch',
    path: '/privacy/retention-rules/:id',
    permission: 'core.privacy.manage',
    summary: 'Change a rule; one that stopped starts again with a condition that fits',
    params: id,
    body: z.strictObject({
      ...z.object(values).omit({ resource: true }).partial().shape,
      version: z.int().min(1).optional(),
    }),
    answer,
    handle: async ({ params, body: { version, ...change } }, ctx) => {
      if (version === undefined) throw versionRequired({ resource: 'retention-rule', id: params.id })
      const rule = await ruleOf(ctx, params.id)
      const changed = { ...rule, ...(change as Partial<Rule>) }
      compiled(changed, (ctx.records as RecordEngine).scope)
      const isOther = weighty.some((name) => changed[name] !== rule[name])
      if (changed.active && isOther) demandRunnable(ctx, changed)
      const written = { ...change, fault: null }
      return {
        data: await ctx
          .asSystem()
          .records.update(retentionRules, { id: params.id, version }, written, { internal: true }),
      }
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/privacy/retention-rules/:id',
    permission: 'core.privacy.manage',
    summary: 'Take a rule away',
    params: id,
    answer: z.undefined(),
    handle: async ({ params }, ctx) => {
      const { records } = ctx.asSystem()
      const { data } = await records.get(retentionRules, params.id)
      await records.remove(retentionRules, data)
      return undefined
    },
  }),
  defineRoute({
    method: 'post',
    path: '/privacy/retention-rules/:id/rehearse',
    permission: 'core.privacy.manage',
    summary: 'Count what a rule is about now, and what would go with its next run',
    params: id,
    answer: z.object({
      data: z.object({
        matching: z.int(),
        binned: z.int(),
        due: z.int(),
        sample: z.array(z.object({ id: z.uuid(), title: z.string() })),
      }),
    }),
    handle: async ({ params }, ctx) => {
      const { sample, ...counts } = await rehearseRule(ctx, await ruleOf(ctx, params.id))
      return { data: { ...counts, sample: [...sample] } }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/privacy/retention-rules/:id/run',
    permission: 'core.privacy.erase',
    summary: 'Run a rule that is on now instead of at night',
    params: id,
    answer: z.object({ data: z.object({ job: z.uuid() }) }),
    status: 202,
    handle: async ({ params }, ctx) => {
      const rule = await ruleOf(ctx, params.id)
      if (!rule.active) throw retentionOff({ name: rule.name })
      const job = await requestJob(ctx, {
        kind: retentionKind,
        key: rule.id,
        payload: { rule: rule.id, run: uuidv7() },
      })
      return { data: { job } }
    },
  }),
  defineRoute({
    method: 'get',
    path: '/privacy/retention-rules/:id/runs',
    permission: 'core.privacy.read',
    summary: 'What each run of a rule came to, newest first',
    params: id,
    answer: z.object({ data: z.array(run) }),
    handle: async ({ params }, ctx) => {
      const { rows } = await sql<z.infer<typeof run>>`
        select id, action, condition, matched::integer as matched, gone::integer as gone, blanked::integer as blanked, held::integer as held, used::integer as used, certificate, at
        from core.retention_run where workspace = ${ctx.workspace.id}::uuid and rule = ${params.id}::uuid order by at desc limit 100`.execute(
        ctx.sql,
      )
      return { data: rows }
    },
  }),
]
