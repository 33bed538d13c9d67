#!/usr/bin/env node
import { run } from '@socle/core/cli'

process.exitCode = await run(process.argv.slice(2), {
  variables: process.env,
  tell: (line) => process.stdout.write(`${line}\n`),
})
