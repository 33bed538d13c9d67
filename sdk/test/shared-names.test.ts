import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readArchive } from '@socle/core'
import { packPlugin } from '../pack/index.ts'
import { sharedNames, sharedNamesFor, sharedVersions } from '../pack/shared-names.ts'

const repository = join(import.meta.dirname, '../..')

/** All code of a packed plugin's screens. */
async function packedScreens(example: string): Promise<string> {
  const { files } = await readArchive(await packPlugin({ folder: join(repository, 'examples', example) }))
  const scripts = [...files].filter(([path]) => path.startsWith('ui/') && path.endsWith('.js'))
  return scripts.map(([, bytes]) => Buffer.from(bytes).toString('utf8')).join('\n')
}

const imported = (code: string) =>
  new Set([...code.matchAll(/\bfrom\s*["'`]([^."'`][^"'`]*)["'`]/g)].map(([, name]) => name))

describe('a plugin’s screens', () => {
  test('take from the page what suits their package, and bundle a copy of what does not', () => {
    expect(sharedNamesFor({ lit: '^3.3.0' })).toEqual(sharedNames)
    expect(sharedNamesFor({})).toEqual(sharedNames)
    const older = sharedNamesFor({ lit: '^2.8.0', '@lit/task': '^1.0.0' })
    expect(older.filter((name) => name === 'lit' || name.startsWith('lit/'))).toEqual([])
    expect(older).toContain('@lit/task')
    expect(older).toContain('@socle/sdk/ui')
  })

  test('are held against the versions the page has', async () => {
    const shell = JSON.parse(await readFile(join(repository, 'ui-shell/package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }
    for (const [name, version] of Object.entries(sharedVersions)) expect(shell.dependencies[name]).toBe(version)
  })

  test('are packed with their own Lit where theirs is another major, and without one where it is the page’s', async () => {
    const older = await packedScreens('two-versions')
    expect([...imported(older)]).toEqual(['@socle/sdk/ui'])
    expect(older).toContain('litHtmlVersions')
    expect(older).toContain('2.8.0')
    const usual = await packedScreens('hello')
    expect(imported(usual)).toEqual(new Set(['@socle/sdk/ui', 'lit']))
    expect(usual).not.toContain('litHtmlVersions')
  })
})
