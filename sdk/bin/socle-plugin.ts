#!/usr/bin/env node
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readArchive } from '@socle/core'
import { packPlugin, signPlugin } from '../pack/index.ts'

const usage = `socle-plugin pack [folder] [--out folder] [--key key.pem]
socle-plugin sign <archive> --key key.pem

A key for signing is made by: openssl genpkey -algorithm ed25519 -out key.pem`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string', default: '.' }, key: { type: 'string' } },
})
const [command, what] = positionals

async function keyIn(file: string): Promise<KeyObject> {
  return createPrivateKey(await readFile(file))
}

async function pack(): Promise<string> {
  const key = values.key === undefined ? {} : { key: await keyIn(values.key) }
  const archive = await packPlugin({ folder: resolve(what ?? '.'), ...key })
  const { manifest } = await readArchive(archive)
  const file = join(resolve(values.out), `${manifest.id}-${manifest.version}.tgz`)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, archive)
  return file
}

async function sign(): Promise<string> {
  if (what === undefined || values.key === undefined) throw new Error(usage)
  await writeFile(what, await signPlugin(await readFile(what), await keyIn(values.key)))
  return what
}

const commands: Readonly<Record<string, () => Promise<string>>> = { pack, sign }

try {
  const run = commands[command ?? '']
  if (!run) throw new Error(usage)
  process.stdout.write(`${await run()}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
