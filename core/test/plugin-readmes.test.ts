import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const repository = join(import.meta.dirname, '../..')
const sections = ['What it does', 'Provides', 'Requires', 'Permissions', 'Events', 'Settings', 'Limits']

const plugins = ['plugins', 'examples'].flatMap((folder) =>
  readdirSync(join(repository, folder))
    .map((name) => join(folder, name))
    .filter((path) => {
      const file = join(repository, path, 'package.json')
      return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).socle?.plugin === true
    }),
)

test.each(plugins)('the README of %s has the seven sections, each with something in it', (path) => {
  const text = readFileSync(join(repository, path, 'README.md'), 'utf8')
  const parts = text.split(/^## /m).slice(1)
  expect(parts.map((part) => part.split('\n', 1)[0])).toEqual(sections)
  for (const part of parts) expect(part.split('\n').slice(1).join('').trim(), part).not.toBe('')
})
