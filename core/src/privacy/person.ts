import type { Context } from '../context.ts'
import { accounts } from '../entities/resources.ts'
import type { Person } from './consents.ts'
import { accountNoPerson } from './errors.ts'

/**
 * Somebody the actor may see, and who is a person.
 *
 * @throws `RECORD_NOT_FOUND`, `PERMISSION_DENIED`; `ACCOUNT_NO_PERSON` for an organisation
 */
export async function demandPerson(ctx: Context, { resource, record }: Person): Promise<void> {
  await ctx.records.get(resource, record, { fields: [] })
  if (resource !== 'core.account') return
  const { data } = await ctx.asSystem().records.get(accounts, record, { fields: ['kind'] })
  if (data['kind'] !== 'person') throw accountNoPerson({ name: await nameOf(ctx, record) })
}

/** As the actor may read it. */
async function nameOf(ctx: Context, record: string): Promise<string> {
  const { data } = await ctx.records.get(accounts, record)
  return typeof data['name'] === 'string' ? data['name'] : record
}
