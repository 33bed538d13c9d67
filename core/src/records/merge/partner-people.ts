import { sql } from 'kysely'
import { sameValue } from '../values.ts'
import type { Resource } from '../registry.ts'
import type { EngineScope } from '../scope.ts'
import { changeLocked, lockRecord } from '../write.ts'
import type { Relation } from './relations.ts'

const internal = { internal: true } as const

/**
 * Whether records of a kind are partners themselves, each being its own: accounts, for which people are let in, and what a
 * plugin says. Ids may be chosen by who makes a record: one of another kind that bears a partner's id says nothing about it.
 */
const arePartners = ({ id, partner }: Resource): boolean =>
  id === 'core.account' || (partner?.of === 'partner' && partner.field === 'id')

/** Partners are accounts, or records of whatever kind a plugin says: what the core itself keeps by their ids points at them. */
export function byPartner(scope: EngineScope, merged: Resource): readonly Relation[] {
  if (!arePartners(merged)) return []
  const shares = scope.catalog.whole.of('core.share')
  return [{ resource: shares, field: shares.fields.get('partner')! }]
}

const peopleIn = (scope: EngineScope): Resource => scope.catalog.whole.of('core.user')

/** Whoever stood for a partner that ended stands for the one it became, with their next request. */
export async function movePartnerPeople(
  scope: EngineScope,
  merged: Resource,
  { from, to }: { from: readonly string[]; to: string },
): Promise<void> {
  if (!arePartners(merged)) return
  const { rows } = await sql<{ id: string }>`
    select id from core.member
    where workspace = ${scope.ctx.workspace.id}::uuid and partner is not null and deleted_at is null
      and (partner = any(${[...from]}::uuid[]) or partners ?| ${[...from]}::text[])
    order by id for update`.execute(scope.tx)
  const ended = new Set(from)
  const became = (id: unknown) => (ended.has(String(id)) ? to : String(id))
  for (const { id } of rows) {
    const person = await lockRecord(scope, peopleIn(scope), id, 'update', internal)
    const partners = [...new Set((person['partners'] as readonly string[]).map(became))]
    const values = new Map<string, unknown>([
      ['partner', became(person['partner'])],
      ['partners', partners],
    ])
    await changeLocked(scope, peopleIn(scope), person, values, internal)
  }
}

/**
 * Whoever still stands where the merge put them stands for their own partner again.
 *
 * @returns the people who were given another partner since, and keep it
 */
export async function partnerPeopleBack(scope: EngineScope, changeSet: string): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string; fields: Readonly<Record<string, readonly [old: unknown, next: unknown]>> }>`
    select c.record as id, c.fields from core.change c
    join core.member m on m.workspace = c.workspace and m.id = c.record and m.deleted_at is null
    where c.workspace = ${scope.ctx.workspace.id}::uuid and c.change_set = ${changeSet}::uuid and c.resource = 'core.user'
      and c.action = 'update' and (c.fields ? 'partner' or c.fields ? 'partners')
    order by c.record`.execute(scope.tx)
  const kept: string[] = []
  for (const { id, fields } of rows) {
    const person = await lockRecord(scope, peopleIn(scope), id, 'update', internal)
    const isAsLeft = Object.entries(fields).every(([name, [, next]]) => sameValue(person[name] ?? null, next))
    if (!isAsLeft) kept.push(id)
    else {
      const values = new Map(Object.entries(fields).map(([name, [old]]) => [name, old] as const))
      await changeLocked(scope, peopleIn(scope), person, values, internal)
    }
  }
  return kept
}
