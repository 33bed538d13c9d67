import { z } from 'zod'
import { defineRoute, type RouteDefinition } from '../../plugins/define-plugin.ts'
import { currency, zone } from '../settings-values.ts'
import { WorkspaceService } from '../workspace-service.ts'
import { given, recordAnswer } from './schemas.ts'

const permission = 'core.workspace.manage'
const word = z.string().trim().min(1).max(60)
const entityName = z.strictObject({ one: word, many: word })

const change = z.strictObject({
  version: z.int().optional(),
  name: z.string().trim().min(1).max(200).optional(),
  locale: z.enum(['en', 'fr']).optional(),
  zone: zone.optional(),
  baseCurrency: currency.optional(),
  fiscalMonth: z.int().min(1).max(12).optional(),
  ledgerMonths: z.int().min(6).max(240).optional(),
  eventDays: z.int().min(7).max(730).optional(),
  secondFactor: z.enum(['optional', 'required']).optional(),
  duplicateStrictness: z.enum(['lenient', 'usual', 'strict']).optional(),
  labels: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$/), z.strictObject({ en: entityName, fr: entityName }))
    .refine((labels) => Object.keys(labels).length <= 200)
    .optional(),
})

export const workspaceRoutes: readonly RouteDefinition[] = [
  defineRoute({
    method: 'get',
    path: '/workspace',
    permission,
    summary: 'Settings of this workspace',
    answer: z.object({ data: recordAnswer }),
    handle: async (_, ctx) => ({ data: await new WorkspaceService(ctx).get() }),
  }),
  defineRoute({
    method: 'patch',
    path: '/workspace',
    permission,
    summary: 'Change settings of this workspace; all processes and open tabs follow at once',
    body: change,
    answer: z.object({ data: recordAnswer }),
    handle: async ({ body: { version, ...fields } }, ctx) => ({
      data: await new WorkspaceService(ctx).change(given(fields), version),
    }),
  }),
]
