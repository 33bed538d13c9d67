import { sql } from 'kysely'
import type { Logger } from 'pino'
import type { Actor, Workspace } from '../../actor.ts'
import type { Context } from '../../context.ts'
import type { Sql } from '../../database/database.ts'
import type { JobDefinition } from '../../plugins/define-plugin.ts'
import type { MissedProofs } from '../entities/identity-provider.ts'
import { IdentityProviderService } from '../identity-provider-service.ts'
import type { SignOn } from './sign-on.ts'

export interface RecheckOptions {
  readonly owner: Sql
  readonly log: Logger
  readonly signOn: SignOn
  /** One unit of work in a workspace under somebody's name, with the platform's rights. */
  readonly asPerson: <T>(workspace: Workspace, actor: Actor, work: (ctx: Context) => Promise<T>) => Promise<T>
}

interface Row {
  readonly id: string
  readonly proved: readonly string[]
  readonly missed: MissedProofs
}

/**
 * Looks whether what proved a workspace's domains still stands in the DNS. No name server is waited for in a transaction, and
 * one that does not answer says nothing about the domain.
 */
export async function recheckDomains(
  { owner, log, signOn, asPerson }: RecheckOptions,
  workspace: Workspace,
): Promise<void> {
  // Nobody waits for what is looked at beside: a failure that it left to nobody would end the process.
  const leave = (error: unknown, domain?: string) =>
    log.warn({ err: error, domain }, 'a domain was not checked again; the next night tries again')
  const rows = await provedIn(owner, workspace).catch((error: unknown) => {
    leave(error)
    return []
  })
  const platform: Actor = { type: 'system', name: 'Socle', locale: workspace.locale }
  for (const { id, proved, missed } of rows)
    for (const domain of proved) {
      try {
        const found = await signOn.domains.look(signOn.domains.recordFor(workspace.id, domain))
        if (found === 'unknown' || (found === 'there' && !missed[domain])) continue
        await asPerson(workspace, platform, async (ctx) => {
          const providers = new IdentityProviderService(ctx.asSystem(), signOn)
          if (found === 'there') await providers.prove(id, domain)
          else await providers.missProof(id, domain)
        })
      } catch (error) {
        leave(error, domain)
      }
    }
}

async function provedIn(owner: Sql, workspace: Workspace): Promise<readonly Row[]> {
  const { rows } = await sql<Row>`
    select id, proved_domains as proved, missed_proofs as missed from core.identity_provider
    where workspace = ${workspace.id}::uuid and deleted_at is null and proved_domains <> '[]' order by id`.execute(
    owner,
  )
  return rows
}

/** Every night, after the transaction that says it is time: name servers are asked outside of one. */
export const nightlyDomainCheck = (recheck: (workspace: Workspace) => Promise<void>): JobDefinition => ({
  id: 'domain-check',
  schedule: '45 3 * * *',
  async run(ctx: Context) {
    ctx.afterCommit(() => void recheck(ctx.workspace))
  },
})
