import type { FieldCondition, FieldMeta } from '@socle/sdk/ui'
import { expect, test } from 'vitest'
import { asked, isShown } from '../src/records/field-conditions.ts'

const field = {
  name: 'reason',
  type: 'text',
  label: 'Reason',
  required: false,
  writable: true,
  sortable: true,
} as const
const shown = (shownIf: FieldCondition, values: Record<string, unknown>) =>
  isShown({ ...field, shownIf } as FieldMeta, values)

test.each<[FieldCondition, Record<string, unknown>, boolean]>([
  [{ op: '=', path: 'stage', value: 'lost' }, { stage: 'lost' }, true],
  [{ op: '=', path: 'stage', value: 'lost' }, {}, false],
  [{ op: '!=', path: 'stage', value: 'lost' }, { stage: '' }, false],
  [{ op: 'not', of: { op: '=', path: 'stage', value: 'lost' } }, {}, true],
  [{ op: '>=', path: 'amount', value: 1000 }, { amount: '1000.00' }, true],
  [{ op: '<', path: 'amount', value: { number: '9' } }, { amount: '10' }, false],
  [{ op: '>', path: 'due', value: '2026-01-31' }, { due: '2026-02-01' }, true],
  [{ op: '=', path: 'vip', value: false }, { vip: false }, true],
  [{ op: 'in', path: 'tags', values: ['a', 'b'] }, { tags: ['c', 'b'] }, true],
  [{ op: 'empty', path: 'tags' }, { tags: [] }, true],
  [{ op: 'and', of: [] }, {}, true],
  [{ op: 'or', of: [] }, {}, false],
])('%j over %j is %s, as on the server', (condition, values, answer) => {
  expect(shown(condition, values)).toBe(answer)
})

test('a field is asked for while its condition holds, and a required one always', () => {
  const condition: FieldCondition = { op: '=', path: 'stage', value: 'lost' }
  const conditional = { ...field, requiredIf: condition } as FieldMeta
  expect(asked(conditional, { stage: 'lost' }).required).toBe(true)
  expect(asked(conditional, { stage: 'won' })).toBe(conditional)
  expect(asked({ ...conditional, required: true }, {}).required).toBe(true)
})
