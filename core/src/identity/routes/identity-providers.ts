import { z } from 'zod'
import { defineRoute, type RouteDefinition } from '../../plugins/define-plugin.ts'
import { IdentityProviderService } from '../identity-provider-service.ts'
import type { SignOn } from '../sign-on/sign-on.ts'
import { byId, given, name, onePage, recordAnswer } from './schemas.ts'

const permission = 'core.signon.manage'

const provider = recordAnswer.extend({
  people: z.number(),
  redirect: z.string(),
  acs: z.string(),
  entityId: z.string(),
  proofs: z
    .array(
      z.object({
        domain: z.string(),
        isProved: z.boolean(),
        missed: z.object({ since: z.string(), isSuspended: z.boolean() }).nullable(),
        name: z.string(),
        value: z.string(),
      }),
    )
    .readonly(),
})

const values = {
  name,
  enabled: z.boolean().optional(),
  shown: z.boolean().optional(),
  exclusive: z.boolean().optional(),
  strong: z.boolean().optional(),
  domains: z.array(z.string().max(253)).max(200).optional(),
  admission: z.enum(['invited', 'anyone']).optional(),
  role: z.uuid().nullable().optional(),
  joinTeam: z.uuid().nullable().optional(),
  issuer: z.string().trim().min(1).max(1_000),
  clientId: z.string().trim().max(500).nullable().optional(),
  clientSecret: z.string().min(1).max(2_000).nullable().optional(),
  entryPoint: z.string().trim().max(1_000).nullable().optional(),
  subjectAttribute: z.string().trim().min(1).max(500).nullable().optional(),
  certificates: z.array(z.string().max(20_000)).max(10).optional(),
}
const newProvider = z.strictObject({ ...values, kind: z.enum(['oidc', 'saml']) })
const change = z.strictObject({
  ...values,
  name: values.name.optional(),
  issuer: values.issuer.optional(),
  version: z.int().optional(),
})

export const identityProviderRoutes = (signOn: () => SignOn): readonly RouteDefinition[] => [
  defineRoute({
    method: 'get',
    path: '/identity-providers',
    permission,
    summary: 'Identity providers of this workspace, with what to copy into each',
    answer: z.object({ data: z.array(provider), page: onePage }),
    handle: async (_, ctx) => {
      const data = await new IdentityProviderService(ctx, signOn()).list()
      return { data, page: { next: null, count: data.length, exact: true } }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/identity-providers',
    permission,
    presence: true,
    summary: 'Add an identity provider. Its client secret is kept sealed and never answered',
    body: newProvider,
    status: 201,
    answer: z.object({ data: provider }),
    handle: async ({ body }, ctx) => ({
      data: await new IdentityProviderService(ctx, signOn()).create(given(body)),
    }),
  }),
  defineRoute({
    method: 'patch',
    path: '/identity-providers/:id',
    permission,
    presence: true,
    summary: 'Change an identity provider, or switch it on or off; off, who came in through it is signed out',
    params: byId,
    body: change,
    answer: z.object({ data: provider }),
    handle: async ({ params: { id }, body: { version, ...body } }, ctx) => ({
      data: await new IdentityProviderService(ctx, signOn()).change(id, given(body), version),
    }),
  }),
  defineRoute({
    method: 'delete',
    path: '/identity-providers/:id',
    permission,
    presence: true,
    summary: 'Delete an identity provider; who came in through it is signed out',
    params: byId,
    answer: z.void(),
    handle: async ({ params: { id } }, ctx) => new IdentityProviderService(ctx, signOn()).remove(id),
  }),
]
