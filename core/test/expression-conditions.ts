import fc from 'fast-check'
import { domainOf } from '../src/records/expression/domains.ts'
import type { Environment, Expression } from '../src/records/expression/index.ts'
import type { FieldModel, ResourceCatalog, ResourceModel } from '../src/records/model.ts'

export interface ConditionWorld {
  /** Paths go to these resources alone. */
  readonly catalog: ResourceCatalog
  /** Values that records of the test have in a field. */
  readonly valuesOf: (field: FieldModel) => readonly unknown[]
  /** Who `me()` may be. */
  readonly people: readonly string[]
  /** Zones to judge in; several continents where absent. */
  readonly zones?: readonly string[]
}

const comparators = fc.constantFrom(
  '=' as const,
  '!=' as const,
  '<' as const,
  '<=' as const,
  '>' as const,
  '>=' as const,
)
const units = fc.constantFrom('day' as const, 'week' as const, 'month' as const, 'quarter' as const, 'year' as const)
const needles = fc.constantFrom(
  'e',
  'É',
  '%',
  '％',
  '_',
  '\\',
  "'",
  'ss',
  'OE',
  '0',
  '\u0301',
  ' ',
  'ζ',
  '🎯',
  ', ',
  '<',
  'fr',
)

/** Conditions of any shape over the resources of a test, and the circumstances to judge them in. */
export function conditionsOver({ catalog, valuesOf, people, zones }: ConditionWorld): {
  expressionsOn: (model: ResourceModel, depth: number) => fc.Arbitrary<Expression>
  environments: fc.Arbitrary<Environment>
} {
  /** Any condition on a field that its kind allows. */
  function condition(path: string, field: FieldModel): fc.Arbitrary<Expression> {
    const { operators, name } = domainOf(field)
    const kinds: fc.Arbitrary<Expression>[] = [fc.constant<Expression>({ op: 'empty', path })]
    if (operators.includes('=')) {
      const one = literalOf(field)
      kinds.push(
        fc.record({ op: fc.constantFrom('=' as const, '!=' as const), path: fc.constant(path), value: one }),
        fc.record({
          op: fc.constant('in' as const),
          path: fc.constant(path),
          values: fc.array(one, { minLength: 1, maxLength: 4 }),
        }),
      )
      if (operators.includes('<')) kinds.push(fc.record({ op: comparators, path: fc.constant(path), value: one }))
    }
    if (operators.includes('~')) kinds.push(needles.map((value): Expression => ({ op: '~', path, value })))
    if (operators.includes('within')) {
      const clock = name === 'instant' ? fc.oneof(units, fc.constantFrom('hour' as const, 'minute' as const)) : units
      kinds.push(
        fc
          .tuple(
            fc.constantFrom('last' as const, 'this' as const, 'next' as const),
            clock,
            fc.option(fc.integer({ min: 1, max: 100 })),
          )
          .filter(([side, unit, count]) => side !== 'this' || (count === null && unit !== 'hour' && unit !== 'minute'))
          .map(([side, unit, count]) => ({
            op: 'within',
            path,
            span: { side, unit, ...(count !== null && { count }) },
          })),
      )
    }
    return fc.oneof(...kinds)
  }

  function literalOf(field: FieldModel): fc.Arbitrary<any> {
    const stored = fc.constantFrom(...(field.options?.map(({ value }) => value) ?? valuesOf(field)))
    switch (domainOf(field).name) {
      case 'number':
        return fc.oneof(
          stored.map(Number),
          fc.integer({ min: -10, max: 10 }),
          fc.constantFrom({ number: '12345678901.23450001' }, 2.5, { number: '99999999999999999999999' }),
        )
      case 'date':
        return fc.oneof(stored, fc.constant({ call: 'today' }))
      case 'instant': {
        const day = fc.constantFrom('2026-03-28', '2026-03-29', '2025-12-31', '2018-11-04', '1000-01-01', '9999-12-31')
        const wall = fc.constantFrom('2026-03-29T02:30', '2026-03-28T23:59:59.9999', '2026-03-29T12:30:00.000001+02:00')
        return fc.oneof(stored, day, wall, fc.constantFrom({ call: 'now' }, { call: 'today' }))
      }
      default:
        return field.target === 'core.user' ? fc.oneof(stored, fc.constant({ call: 'me' })) : stored
    }
  }

  /** Paths of at most `hops` references from a resource. */
  function pathsFrom(model: ResourceModel, hops: number): { path: string; field: FieldModel }[] {
    return [...model.fields.values()].flatMap((field) => {
      const target = hops > 0 && field.target && field.name !== 'id' ? catalog.get(field.target) : undefined
      const beyond = target
        ? pathsFrom(target, hops - 1).map((it) => ({ ...it, path: `${field.name}.${it.path}` }))
        : []
      return [{ path: field.name, field }, ...beyond]
    })
  }

  function collectionsFrom(model: ResourceModel): { path: string; target: ResourceModel }[] {
    const of = (from: ResourceModel, prefix: string) =>
      [...from.collections.values()].flatMap((it) => {
        const target = catalog.get(it.target)
        return target ? [{ path: `${prefix}${it.name}`, target }] : []
      })
    const behind = [...model.fields.values()].flatMap((field) => {
      const target = field.target && field.name !== 'id' ? catalog.get(field.target) : undefined
      return target ? of(target, `${field.name}.`) : []
    })
    return [...of(model, ''), ...behind]
  }

  function expressionsOn(model: ResourceModel, depth: number): fc.Arbitrary<Expression> {
    const near = fc.constantFrom(...pathsFrom(model, 0)).chain(({ path, field }) => condition(path, field))
    const far = fc
      .constantFrom(...pathsFrom(model, depth > 1 ? 2 : 1))
      .chain(({ path, field }) => condition(path, field))
    if (depth === 0) return fc.oneof(near, far)
    const inner = expressionsOn(model, depth - 1)
    const kinds: fc.Arbitrary<Expression>[] = [
      near,
      far,
      inner.map((of) => ({ op: 'not', of })),
      fc.record({ op: fc.constantFrom('and' as const, 'or' as const), of: fc.array(inner, { maxLength: 3 }) }),
    ]
    const collections = collectionsFrom(model)
    if (collections.length > 0) kinds.push(fc.constantFrom(...collections).chain((it) => overMany(it, depth)))
    return fc.oneof(...kinds)
  }

  function overMany(
    { path, target }: { path: string; target: ResourceModel },
    depth: number,
  ): fc.Arbitrary<Expression> {
    const where = fc.option(expressionsOn(target, depth - 1), { nil: undefined })
    const filtered = (it: Expression | undefined) => (it ? { where: it } : {})
    const exists = fc
      .tuple(fc.constantFrom('any' as const, 'none' as const), where)
      .map(([op, it]): Expression => ({ op, path, ...filtered(it) }))
    const count = fc
      .tuple(comparators, fc.integer({ min: 0, max: 4 }), where)
      .map(([is, value, it]): Expression => ({ op: 'count', path, is, value, ...filtered(it) }))
    const numbers = [...target.fields.values()].filter((it) => domainOf(it).name === 'number').map((it) => it.name)
    if (numbers.length === 0) return fc.oneof(exists, count)
    const sum = fc
      .tuple(fc.constantFrom(...numbers), comparators, fc.constantFrom(0, 5, 0.3, -7, 100, 10.1), where)
      .map(([name, is, value, it]): Expression => ({ op: 'sum', path: `${path}.${name}`, is, value, ...filtered(it) }))
    return fc.oneof(exists, count, sum)
  }

  const environments: fc.Arbitrary<Environment> = fc.record(
    {
      // Clocks go forward in Paris, back in New York, skip midnight in São Paulo; a leap day; the last minute of a year.
      now: fc
        .constantFrom(
          '2026-03-29T10:30:00.000Z',
          '2026-11-01T05:30:00Z',
          '2018-11-04T12:00:00Z',
          '2024-02-29T23:30:00Z',
          '2025-12-31T23:59:00.500Z',
        )
        .map((it) => new Date(it)),
      zone: fc.constantFrom(
        ...(zones ?? [
          'Europe/Paris',
          'America/New_York',
          'America/Sao_Paulo',
          'Pacific/Kiritimati',
          'Asia/Kolkata',
          'UTC',
        ]),
      ),
      userId: fc.constantFrom(...people),
    },
    { requiredKeys: ['now', 'zone'] },
  )
  return { expressionsOn, environments }
}
