import { describe, expect, test } from 'vitest'
import type { Access } from '../src/records/expression/index.ts'
import { accounts, check, opportunities, refusal } from './expression-world.ts'

const without = (...hidden: string[]): Access => ({
  readable: (resource, field) => !hidden.includes(`${resource}.${field}`),
})

describe('an expression that does not fit its resource is refused where it goes wrong, with what would do', () => {
  test.each([
    ['amuont > 5', 0, 6, 'Did you mean "amount"?'],
    ['state = "open" and account.nmae = "x"', 27, 4, 'trade.account has no field "nmae". Did you mean "name"?'],
    ['account.owner.phone = "x"', 14, 5, 'core.user has no field "phone".'],
    ['amount.currency = "EUR"', 0, 6, '"amount" is a money and holds no "currency"'],
    ['id.name = "x"', 0, 2, 'holds no "name"'],
    ['amount > "many"', 9, 6, 'compared with a number, such as 1000.50, not with "many"'],
    ['amount > today()', 9, 7, 'not with today()'],
    ['urgent = 1', 9, 1, 'compared with true or false'],
    ['urgent > true', 0, 13, '"urgent" is not compared by ">". It takes =, !=, in, is empty.'],
    ['amount ~ "5"', 0, 12, '"amount" is not compared by "~"'],
    ['state < "won"', 0, 13, '"state" is not compared by "<"'],
    ['state = "opne"', 8, 6, 'has no option "opne". Its options are open, won, lost. Did you mean "open"?'],
    ['state in ("open", "gone")', 18, 6, 'has no option "gone"'],
    ['closeDate = "2026-02-30"', 12, 12, 'compared with a date'],
    ['closeDate = "0000-01-01"', 12, 12, 'compared with a date'],
    ['closeDate > now()', 12, 5, 'compared with a date'],
    ['createdAt > "2026-01-01T25:00"', 12, 18, 'compared with an instant or a date'],
    ['createdAt > "2026-01-01T10:00+99:99"', 12, 24, 'compared with an instant or a date'],
    ['account = "Garonne"', 10, 9, 'compared with an id'],
    ['account = me()', 10, 4, 'compared with an id'],
    ['extra = "x"', 0, 11, 'It takes is empty'],
    ['name = ""', 7, 2, 'Write "name is empty"'],
    ['name ~ "a\\u0000b"', 7, 10, 'the character U+0000'],
    ['name = "\\ud800"', 7, 8, 'half a character'],
    ['amount within last 5 days', 0, 25, '"amount" is not compared by "within"'],
    ['closeDate within last 5 hours', 0, 29, 'its spans are days'],
    ['createdAt within this hour', 0, 26, 'Write "last" or "next" with a number'],
    ['closeDate within last 999999 days', 0, 33, 'It counts from 1 to 36525 days.'],
    ['account.campaign.name = "x"', 8, 8, 'leads to marketing.campaign, which is not enabled here'],
    ['account.opportunities.name = "x"', 8, 13, 'ask with any(…), none(…), count(…) or sum(…)'],
    ['any(account.owner, name = "x")', 12, 5, '"owner" is one value: any(…) takes a collection'],
    ['any(account.oportunities, amount > 1)', 12, 12, 'Did you mean "opportunities"?'],
    ['sum(account.opportunities.name) > 1', 26, 4, 'takes a number of a collection'],
    ['sum(amount) > 1', 0, 15, 'takes a number of a collection'],
    ['count(account.children) > "x"', 26, 3, 'compared with a number'],
    ['any(account.children, amount = 1)', 22, 6, 'trade.account has no field "amount"'],
  ])('%s', (text, position, length, sentence) => {
    const fault = refusal(() => check(text))
    expect(fault.message).toContain(sentence)
    expect(fault).toMatchObject({ code: 'EXPRESSION_INVALID', status: 400, extras: { position, length } })
  })

  test('an expression that came as JSON is located by a pointer', () => {
    const fault = refusal(() =>
      check({
        op: 'or',
        of: [
          { op: 'empty', path: 'name' },
          { op: 'not', of: { op: '=', path: 'amuont', value: 5 } },
        ],
      }),
    )
    expect(fault.extras).toEqual({ at: '/of/1/of', found: 'amuont', suggestion: 'amount' })
  })

  test('the paths it reads are listed, so that a caller knows what to load', () => {
    const { paths } = check(
      'any(opportunities, account.owner.name = "x") and sum(opportunities.amount) > 5 and parent.name ~ "a"',
      accounts,
    )
    expect(paths).toEqual(['opportunities', 'opportunities.account.owner.name', 'opportunities.amount', 'parent.name'])
  })
})

describe('a field the actor may not read', () => {
  test.each([
    ['amount > 5', 'trade.opportunity', 'amount'],
    ['amount is not empty', 'trade.opportunity', 'amount'],
    ['amount within last 3 days', 'trade.opportunity', 'amount'],
    ['name = "x" or not (state = "won" and amount = 1)', 'trade.opportunity', 'amount'],
    ['account.revenue > 5', 'trade.account', 'revenue'],
    ['account.parent.parent.revenue is empty', 'trade.account', 'revenue'],
    ['account.owner.email ~ "x"', 'core.user', 'email'],
    ['any(account.children, revenue > 5)', 'trade.account', 'revenue'],
    ['sum(account.children.revenue) > 5', 'trade.account', 'revenue'],
    ['count(account.opportunities, amount > 5) = 1', 'trade.opportunity', 'amount'],
  ])('is refused by name in: %s', (text, resource, field) => {
    const access = without('trade.opportunity.amount', 'trade.account.revenue', 'core.user.email')
    const fault = refusal(() => check(text, opportunities, access))
    expect(fault).toMatchObject({
      code: 'FIELD_NOT_READABLE',
      status: 403,
      values: { resource, field },
      extras: { resource, field },
    })
    expect(fault.message).toContain(`"${field}" of ${resource}`)
  })

  test('bars the way to what lies behind it', () => {
    expect(
      refusal(() => check('account.name = "x"', opportunities, without('trade.opportunity.account'))),
    ).toMatchObject({
      code: 'FIELD_NOT_READABLE',
      values: { field: 'account' },
    })
    expect(
      refusal(() => check('account.parent.owner.name = "x"', opportunities, without('trade.account.parent'))),
    ).toMatchObject({
      values: { field: 'parent' },
    })
  })

  test('is not told from the other side: a collection needs the reference that makes it', () => {
    const access = without('trade.opportunity.account')
    for (const text of ['any(opportunities)', 'count(opportunities) = 0', 'sum(opportunities.amount) > 1']) {
      expect(refusal(() => check(text, accounts, access))).toMatchObject({
        values: { resource: 'trade.opportunity', field: 'account' },
      })
    }
  })

  test('is never proposed as what was meant, nor are its type and options told', () => {
    const access = without('trade.opportunity.amount', 'trade.opportunity.state')
    expect(refusal(() => check('amuont > 5', opportunities, access)).message).not.toContain('amount')
    expect(refusal(() => check('state = "opne"', opportunities, access))).toMatchObject({ code: 'FIELD_NOT_READABLE' })
    expect(refusal(() => check('amount = "x"', opportunities, access)).message).not.toContain('money')
  })

  test('on a user is told at its place in the text', () => {
    const fault = refusal(() =>
      check('name = "x" and account.owner.email ~ "x"', opportunities, without('core.user.email')),
    )
    expect(fault.extras).toMatchObject({ position: 29, length: 5 })
  })
})

describe('an expression that would cost too much', () => {
  const many = (part: string, times: number, word = 'or') => Array<string>(times).fill(part).join(` ${word} `)

  test.each([
    ['four references are followed', 'account.parent.parent.owner.name = "x"', true],
    ['five are not', 'account.parent.parent.parent.owner.name = "x"', false],
    ['three hundred conditions are judged', many('amount = 1', 299), true],
    ['more are not', many('amount = 1', 300), false],
    ['forty conditions look into other tables', many('account.name = "x"', 40), true],
    ['more do not', many('account.name = "x"', 41), false],
    ['a collection in a collection is searched', 'any(account.children, any(opportunities, amount > 1))', true],
    ['one more is not', 'any(account.children, any(children, any(opportunities)))', false],
    ['five hundred values are listed', `quantity in (${many('1', 500, ',')})`, true],
    ['more are not', `quantity in (${many('1', 501, ',')})`, false],
  ])('%s', (_, text, accepted) => {
    if (accepted) expect(check(text).plan).toBeDefined()
    else expect(refusal(() => check(text))).toMatchObject({ code: 'EXPRESSION_TOO_COSTLY', status: 422 })
  })
})
