import { sql } from 'kysely'
import type { Locale } from '../actor.ts'
import type { Context } from '../context.ts'
import type { DemoData } from '../plugins/define-plugin.ts'
import {
  cities,
  firstNames,
  goods,
  lastNames,
  mobileLine,
  legalForms,
  phrases,
  placeWords,
  streets,
  tradeWords,
} from './demo-names.ts'
import { createDocument, invoiceDocument, orderDocument } from './documents.ts'
import { isSiren, vatNumberOf } from './identifiers.ts'
import { accounts, activities, contacts, leads, payments, products } from './resources.ts'

const counts = { accounts: 120, contacts: 260, leads: 40, orders: 60, activities: 150 }

/** Always the same numbers between 0 and 1: the demonstration looks alike everywhere (mulberry32). */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Company {
  readonly id: string
  readonly name: string
  readonly domain: string
  readonly line: string
  readonly owner: string | null
  readonly isClient: boolean
}

interface Ware {
  readonly id: string
  readonly price: number
}

/** A French wholesaler for restaurants, with a year of its business around the day it is made. */
class DemoBuilder {
  readonly #ctx: Context
  readonly #roll = dice(20_260_302)
  readonly #owners: readonly string[]
  readonly #said: (typeof phrases)[Locale]

  constructor(ctx: Context, owners: readonly string[]) {
    this.#ctx = ctx
    this.#owners = owners
    this.#said = phrases[ctx.workspace.locale]
  }

  async build(): Promise<void> {
    const wares = await this.#products()
    const companies = await this.#accounts()
    const people = await this.#contacts(companies)
    const prospects = await this.#leads()
    await this.#orders(companies, wares)
    await this.#activities(people, prospects)
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#roll() * list.length)] as T
  }

  #between(low: number, high: number): number {
    return low + Math.floor(this.#roll() * (high - low + 1))
  }

  #owner(): string | null {
    return this.#owners.length === 0 ? null : this.#pick(this.#owners)
  }

  /** An instant `days` from now, at an hour people work. */
  #at(days: number, hour = this.#between(8, 17)): string {
    const instant = new Date(this.#ctx.clock.now().getTime() + days * 86_400_000)
    instant.setUTCHours(hour, this.#pick([0, 15, 30, 45]), 0, 0)
    return instant.toISOString()
  }

  #day(days: number): string {
    return this.#at(days, 12).slice(0, 10)
  }

  #phone(line: string): string {
    return `${line} ${this.#between(10, 99)} ${this.#between(10, 99)}`
  }

  #siren(): string {
    const digits = String(this.#between(30_000_000, 94_999_999))
    for (let check = 0; check < 10; check += 1) if (isSiren(`${digits}${check}`)) return `${digits}${check}`
    throw new Error('One of ten check digits always passes.')
  }

  async #products(): Promise<Ware[]> {
    const made: Ware[] = []
    const { locale } = this.#ctx.workspace
    for (const [sku, { [locale]: name }, kind, { [locale]: family }, unit, price, taxRate] of goods) {
      const record = await this.#ctx.records.create(products, { sku, name, kind, family, unit, price, taxRate })
      made.push({ id: record.id, price: Number(price) })
    }
    return made
  }

  async #accounts(): Promise<Company[]> {
    const made: Company[] = []
    for (let index = 0; index < counts.accounts; index += 1) {
      // Each pair of words once: 20 × 20 of them, walked diagonally.
      const word = tradeWords[index % tradeWords.length] as string
      const place = placeWords[(index + Math.floor(index / tradeWords.length) * 7) % placeWords.length] as string
      const name = `${word} ${place}`
      const { city, postalCode, line } = this.#pick(cities)
      const siren = this.#siren()
      const domain = `${slug(name)}.example`
      const lifecycle = this.#pick(['suspect', 'prospect', 'prospect', 'client', 'client', 'client', 'former'])
      const legalForm = this.#pick(legalForms)
      const owner = this.#owner()
      const parent = index % 12 === 11 ? made[index - 5]?.id : undefined
      const record = await this.#ctx.records.create(accounts, {
        name,
        legalName: `${name} ${legalForm}`.trim(),
        code: `C${String(index + 1).padStart(4, '0')}`,
        lifecycle,
        website: `https://www.${domain}`,
        siren,
        vatNumber: vatNumberOf(siren),
        industry: this.#pick(this.#said.industries),
        employees: this.#between(2, 240),
        annualRevenue: String(this.#between(15, 900) * 10_000),
        foundedYear: this.#between(1958, 2023),
        sourceChannel: this.#pick(['direct', 'direct', 'web', 'partner']),
        phone: this.#phone(line),
        email: `contact@${domain}`,
        addressLine1: `${this.#between(1, 120)} ${this.#pick(streets)}`,
        postalCode,
        city,
        country: 'FR',
        owner,
        ...(parent === undefined ? {} : { parent }),
      })
      made.push({ id: record.id, name, domain, line, owner, isClient: lifecycle === 'client' })
    }
    return made
  }

  async #contacts(companies: readonly Company[]): Promise<{ id: string; account: Company }[]> {
    const made: { id: string; account: Company }[] = []
    for (let index = 0; index < counts.contacts; index += 1) {
      const account = companies[index % companies.length] as Company
      const firstName = this.#pick(firstNames)
      const lastName = this.#pick(lastNames)
      const record = await this.#ctx.records.create(contacts, {
        firstName,
        lastName,
        account: account.id,
        jobTitle: this.#pick(this.#said.jobTitles),
        email: `${slug(firstName)}.${slug(lastName)}${index}@${account.domain}`,
        phone: this.#phone(account.line),
        mobile: this.#phone(mobileLine),
        language: 'fr',
        owner: account.owner,
      })
      made.push({ id: record.id, account })
    }
    return made
  }

  async #leads(): Promise<{ id: string; owner: string | null }[]> {
    const made: { id: string; owner: string | null }[] = []
    for (let index = 0; index < counts.leads; index += 1) {
      const firstName = this.#pick(firstNames)
      const lastName = this.#pick(lastNames)
      const companyName = `${this.#pick(tradeWords)} ${lastName}`
      const { city, line } = this.#pick(cities)
      const owner = this.#owner()
      const status = this.#pick(['new', 'new', 'working', 'working', 'nurturing', 'qualified', 'unqualified'])
      const record = await this.#ctx.records.create(leads, {
        firstName,
        lastName,
        companyName,
        email: `${slug(firstName)}@${slug(companyName)}.example`,
        phone: this.#phone(line),
        city,
        country: 'FR',
        source: this.#pick(this.#said.sources),
        sourceChannel: this.#pick(['web', 'direct', 'partner']),
        need: this.#pick(this.#said.needs),
        budget: String(this.#between(4, 120) * 500),
        status,
        owner,
        ...(status === 'unqualified' ? { reason: this.#said.tooFar } : {}),
      })
      made.push({ id: record.id, owner })
    }
    return made
  }

  async #orders(companies: readonly Company[], wares: readonly Ware[]): Promise<void> {
    const clients = companies.filter(({ isClient }) => isClient)
    for (let index = 0; index < counts.orders; index += 1) {
      const account = this.#pick(clients)
      const daysAgo = 330 - index * 5
      const status = daysAgo > 60 ? 'fulfilled' : this.#pick(['draft', 'confirmed', 'in_fulfilment', 'fulfilled'])
      const lines = Array.from({ length: this.#between(1, 3) }, () => this.#line(wares))
      const order = await createDocument(
        this.#ctx,
        orderDocument,
        { account: account.id, owner: account.owner, status, orderedOn: this.#day(-daysAgo), source: this.#said.demo },
        lines,
      )
      if (status === 'fulfilled' && index < 40) await this.#invoice(account, order.id, lines, daysAgo)
    }
  }

  #line(wares: readonly Ware[]): Readonly<Record<string, unknown>> {
    const { id, price } = this.#pick(wares)
    const quantity = price < 100 ? this.#between(2, 40) : this.#between(1, 3)
    return { product: id, quantity: String(quantity), discount: this.#pick(['0', '0', '0', '5', '10']) }
  }

  async #invoice(
    account: Company,
    order: string,
    lines: readonly Readonly<Record<string, unknown>>[],
    daysAgo: number,
  ): Promise<void> {
    const invoice = await createDocument(
      this.#ctx,
      invoiceDocument,
      {
        account: account.id,
        owner: account.owner,
        order,
        status: 'issued',
        issuedOn: this.#day(5 - daysAgo),
        dueOn: this.#day(35 - daysAgo),
      },
      lines,
    )
    const isLate = this.#roll() < 0.15
    if (isLate || daysAgo < 45) return
    await this.#ctx.records.create(payments, {
      invoice: invoice.id,
      amount: String(invoice['gross']),
      paidOn: this.#day(30 - daysAgo),
      method: this.#pick(['transfer', 'direct_debit', 'card']),
      reference: `VIR ${String(invoice['number'])}`,
    })
  }

  async #activities(
    people: readonly { id: string; account: Company }[],
    prospects: readonly { id: string; owner: string | null }[],
  ): Promise<void> {
    const subjects: Readonly<Record<string, readonly string[]>> = this.#said.subjects
    for (let index = 0; index < counts.activities; index += 1) {
      const type = this.#pick(['task', 'task', 'call', 'call', 'meeting', 'visit', 'mail', 'note'])
      const { id: contact, account } = this.#pick(people)
      const lead = index % 10 === 9 ? this.#pick(prospects) : undefined
      // Two of three lie behind; of the others some are late, some due today, most to come.
      const isDone = index % 3 !== 0 || type === 'mail' || type === 'note'
      const days = isDone ? -this.#between(1, 200) : this.#pick([-6, -2, 0, 0, 1, 2, 4, 7, 14])
      const when = this.#at(days)
      const takesTime = type === 'meeting' || type === 'visit'
      await this.#ctx.records.create(
        activities,
        {
          type,
          subject: this.#pick(subjects[type] ?? []),
          status: isDone ? 'done' : 'planned',
          priority: this.#pick(['low', 'normal', 'normal', 'normal', 'high']),
          owner: lead ? lead.owner : account.owner,
          ...(takesTime
            ? { startAt: when, endAt: new Date(Date.parse(when) + 3_600_000).toISOString() }
            : { dueAt: when }),
          ...(isDone ? { completedAt: when, outcome: this.#pick(this.#said.outcomes) } : {}),
          ...(lead ? { lead: lead.id } : { account: account.id, contact }),
        },
        { internal: true },
      )
    }
  }
}

function slug(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}

/** Accounts, contacts, leads, products, orders, invoices, payments and activities of "Acme Distribution". */
export const sharedDemo: DemoData = async (ctx) => {
  const { rows } = await sql<{ id: string }>`
    select id from core.member where workspace = ${ctx.workspace.id}::uuid and state = 'active' and deleted_at is null order by id`.execute(
    ctx.sql,
  )
  await new DemoBuilder(
    ctx,
    rows.map(({ id }) => id),
  ).build()
}
