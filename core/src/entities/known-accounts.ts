import { sql } from 'kysely'
import { DateTime } from 'luxon'
import type { Context } from '../context.ts'
import { definePermission } from '../plugins/define-plugin.ts'
import { definePoint, defineService } from '../plugins/tokens.ts'
import { formOf } from '../records/duplicates/comparisons.ts'
import { havingOneOf } from '../records/duplicates/find.ts'
import { validationFailed } from '../records/errors.ts'
import { compact, isSiren } from './identifiers.ts'
import { rateLimited } from './errors.ts'
import { knownQuestions } from './known-question.ts'

/** What is asked about; at least one of the three. */
export interface KnownQuestionInput {
  readonly name?: string | undefined
  readonly domain?: string | undefined
  readonly siren?: string | undefined
}

/** Nobody has it, somebody has, or the asker's own side has. */
export type KnownAnswer = 'free' | 'known' | 'yours'

/** Who wants to know. */
export interface Asker {
  /** User or API key. */
  readonly id: string
  readonly teams: readonly string[]
  /** Partners a partner's person stands for; undefined for the people of the house. */
  readonly partners?: readonly string[]
}

/**
 * What a plugin knows beside the accounts: registered deals, open opportunities. It is asked whatever others answered, so
 * that the time an answer takes tells nothing, in a unit that sees the whole company: it lets nothing out but the word.
 */
export type KnownSource = (question: KnownQuestionInput, asker: Asker, ctx: Context) => Promise<KnownAnswer>
export const KnownSources = definePoint<KnownSource>('core/known-accounts@1')

export interface KnownAccounts {
  /**
   * Whether a prospect is known: case, accents, punctuation and legal form ignored. Not limited and not kept: that is for
   * who lets people ask.
   *
   * Throws where the unit stands on a partner's side of the wall: it would see little, and call the rest free.
   */
  answer(question: KnownQuestionInput, asker: Asker): Promise<KnownAnswer>
}
export const KnownAccounts = defineService<KnownAccounts>('core/known-accounts@1')

export const knownPermissions = [
  definePermission('core.known-account.ask', {
    en: 'Ask whether a prospect is known',
    fr: 'Demander si un prospect est connu',
  }),
]

/** So few that nobody lists a company's customers by asking. */
const questionsADay = 30
const order: readonly KnownAnswer[] = ['free', 'known', 'yours']

export class KnownAccountsService implements KnownAccounts {
  readonly #ctx: Context

  constructor(ctx: Context) {
    this.#ctx = ctx
  }

  async answer(question: KnownQuestionInput, asker: Asker): Promise<KnownAnswer> {
    const { partners } = this.#ctx
    if (partners) throw new Error('Whether a prospect is known was asked from a partner’s side of the wall.')
    const answers = [await this.#amongAccounts(question, asker)]
    for (const source of this.#ctx.contributions(KnownSources)) answers.push(await source(question, asker, this.#ctx))
    return order[Math.max(...answers.map((answer) => order.indexOf(answer)))] ?? 'free'
  }

  /**
   * One question of a person: counted, answered and kept for the auditor in one transaction.
   *
   * @throws `VALIDATION_FAILED` (422) where nothing asked for tells one company from another, `RATE_LIMITED` (429) after
   * 30 in a day of the workspace
   */
  async ask(input: KnownQuestionInput, asker: Asker): Promise<KnownAnswer> {
    const question = comparable(input)
    await this.#count(asker)
    const answer = await this.answer(question, asker)
    await this.#ctx.records.create(
      knownQuestions,
      {
        question: Object.values(question).join(' · '),
        ...question,
        answer,
        asker: asker.id,
        askedOn: this.#ctx.clock.today(),
        partner: asker.partners?.[0] ?? null,
      },
      { internal: true },
    )
    return answer
  }

  /** In the database, so that all processes count together; two questions of one person wait for each other. */
  async #count({ id }: Asker): Promise<void> {
    const { sql: tx, workspace, clock } = this.#ctx
    await sql`select pg_advisory_xact_lock(hashtextextended(${`core.known ${workspace.id} ${id}`}, 0))`.execute(tx)
    const { rows } = await sql<{ asked: number }>`
      select count(*)::integer as asked from core.known_question
      where workspace = ${workspace.id}::uuid and asker = ${id}::uuid and asked_on = ${clock.today()}::date`.execute(tx)
    if ((rows[0]?.asked ?? 0) < questionsADay) return
    const now = DateTime.fromJSDate(clock.now(), { zone: workspace.zone })
    const seconds = Math.ceil(now.plus({ days: 1 }).startOf('day').diff(now).as('seconds'))
    throw rateLimited({ limit: questionsADay }, { retryAfter: seconds })
  }

  /** The same statement whatever there is to find; keys of accounts are kept by every write of one. */
  async #amongAccounts({ name, domain, siren }: KnownQuestionInput, asker: Asker): Promise<KnownAnswer> {
    const { sql: tx, workspace, clock } = this.#ctx
    const keys = Object.entries({ name, domain, siren }).flatMap(([kind, value]) =>
      value === undefined ? [] : [{ kind, value, near: formOf(kind as keyof KnownQuestionInput).near ?? false }],
    )
    const { partners } = asker
    const isTheirs = partners
      ? sql`a.id = any ((select core.shared_with(null, '{}', ${partners}::uuid[], ${clock.now().toISOString()}::timestamptz, 'core.account', 'read'))::uuid[])`
      : sql`(a.owner = ${asker.id}::uuid or a.team = any(${asker.teams}::uuid[]))`
    const { rows } = await sql<{ known: boolean; yours: boolean }>`
      select count(*) > 0 as known, coalesce(bool_or(${isTheirs}), false) as yours
      from core.account a
      where a.workspace = ${workspace.id}::uuid and a.deleted_at is null and a.id in ${havingOneOf('core.account', keys)}`.execute(
      tx,
    )
    return rows[0]?.yours ? 'yours' : rows[0]?.known ? 'known' : 'free'
  }
}

/** What was asked in the form it is compared in; what tells nothing of a company is left out. */
function comparable({ name, domain, siren }: KnownQuestionInput): KnownQuestionInput {
  const asked = {
    name: name === undefined ? undefined : formOf('name').of(name, undefined),
    domain: domain === undefined ? undefined : formOf('domain').of(domain, undefined),
    siren: siren === undefined ? undefined : formOf('siren').of(compact(siren), undefined),
  }
  const faults = [
    ...(domain !== undefined && asked.domain === undefined
      ? [
          {
            path: '/domain',
            code: 'FORMAT',
            detail: `"${domain}" is no company’s own domain. Write it as maison-garonne.fr.`,
          },
        ]
      : []),
    ...(siren !== undefined && !(asked.siren !== undefined && isSiren(asked.siren))
      ? [
          {
            path: '/siren',
            code: 'FORMAT',
            detail: `"${siren}" is no SIREN. It has nine digits, the last of which checks the others.`,
          },
        ]
      : []),
  ]
  if (faults.length === 0 && Object.values(asked).every((value) => value === undefined))
    faults.push({
      path: '/name',
      code: 'REQUIRED',
      detail: 'Ask for a name of two letters or more, a domain or a SIREN.',
    })
  const [first] = faults
  if (first) throw validationFailed({ count: faults.length, first: first.detail }, { errors: faults })
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
}
