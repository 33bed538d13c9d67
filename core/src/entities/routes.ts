import { z } from 'zod'
import { defineRoute } from '../plugins/define-plugin.ts'
import { cancelInvoice } from './invoice-cancellation.ts'
import { LeadConversions, conversionRequest } from './lead-conversion.ts'

const record = z.record(z.string(), z.unknown())
const link = z.object({ resource: z.string(), id: z.uuid() })
const byId = z.object({ id: z.uuid() })

export const sharedRoutes = [
  defineRoute({
    method: 'post',
    path: '/leads/:id/convert',
    permission: 'core.lead.update',
    summary: 'Convert a lead into an account, a contact and what plugins offer, all or nothing',
    params: byId,
    body: conversionRequest,
    answer: z.object({
      data: z.object({
        lead: record,
        account: z.uuid().nullable(),
        contact: z.uuid().nullable(),
        targets: z.record(z.string(), link),
      }),
    }),
    handle: async ({ params, body }, ctx) => ({ data: await new LeadConversions(ctx).convert(params.id, body) }),
  }),
  defineRoute({
    method: 'post',
    path: '/leads/:id/revert',
    permission: 'core.lead.update',
    summary: 'Take a conversion back; what was changed or used since stays and is listed',
    params: byId,
    body: z.strictObject({ version: z.int().min(1).optional() }),
    answer: z.object({ data: z.object({ lead: record, kept: z.array(link) }) }),
    handle: async ({ params, body }, ctx) => ({ data: await new LeadConversions(ctx).revert(params.id, body.version) }),
  }),
  defineRoute({
    method: 'post',
    path: '/invoices/:id/cancel',
    permission: 'core.invoice.update',
    summary: 'Cancel an issued invoice by a credit note',
    params: byId,
    body: z.strictObject({}),
    answer: z.object({ data: z.object({ invoice: record, creditNote: record }) }),
    handle: async ({ params }, ctx) => ({ data: await cancelInvoice(ctx, params.id) }),
  }),
]
