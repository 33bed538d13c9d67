import { expect, test } from 'vitest'
import { matchPath } from '../src/match-path.ts'

test('a pattern gives its parameters, decoded', () => {
  expect(matchPath('/sales/board/:id', '/sales/board/a%20b')).toEqual({ id: 'a b' })
})

test('another length or another word does not match', () => {
  expect(matchPath('/sales/board', '/sales/board/1')).toBeUndefined()
  expect(matchPath('/sales/board', '/sales/forecast')).toBeUndefined()
})

test('a final slash makes no difference', () => {
  expect(matchPath('/hello/wall', '/hello/wall/')).toEqual({})
})
