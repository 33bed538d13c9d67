import { expect, test, vi } from 'vitest'
import { ProblemError } from '../../ui/api.ts'
import { CellEdits } from '../../ui/table-edits.ts'

const refusal = new ProblemError({
  title: 'Refused',
  status: 422,
  code: 'INVALID',
  detail: 'The record was not saved.',
  errors: [{ path: '/amount', code: 'NEGATIVE', detail: 'The amount cannot be negative.' }],
})

test('a value shows until the server has it', async () => {
  const edits = new CellEdits(vi.fn<() => void>())
  const saved = edits.save('r1', 'amount', '5', Promise.resolve())
  expect(edits.at('r1', 'amount')).toEqual({ value: '5' })
  await saved
  expect(edits.at('r1', 'amount')).toBeUndefined()
})

test('a refusal keeps the value with the sentence for its field', async () => {
  const edits = new CellEdits(vi.fn<() => void>())
  await expect(edits.save('r1', 'amount', '-5', Promise.reject(refusal))).rejects.toBe('The amount cannot be negative.')
  expect(edits.at('r1', 'amount')).toEqual({ value: '-5', error: 'The amount cannot be negative.' })
})

test('a later value is not undone by the late answer to an earlier one', async () => {
  const edits = new CellEdits(vi.fn<() => void>())
  const first = Promise.withResolvers<void>()
  const earlier = edits.save('r1', 'amount', '1', first.promise)
  void edits.save('r1', 'amount', '2', new Promise(() => undefined))
  first.resolve()
  await earlier
  expect(edits.at('r1', 'amount')).toEqual({ value: '2' })
})

test('keys pressed before the editor is there are kept', () => {
  const edits = new CellEdits(vi.fn<() => void>())
  edits.start({ id: 'r1', version: 1 }, 'amount', '1')
  for (const key of ['2', 'Shift', '3', 'Backspace']) edits.type(key)
  expect(edits.typed).toBe('12')
  edits.close()
  expect(edits.typed).toBeUndefined()
})
