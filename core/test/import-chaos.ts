import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import iconv from 'iconv-lite'
import type { ImportJson } from '../src/records/import/import.ts'
import type { TestClient } from '../src/testing/index.ts'
import { Importing } from './import-world.ts'

export interface KilledImport {
  readonly imports: readonly ImportJson[]
  /** Megabytes that the largest worker held at most. */
  readonly memory: number
  /** Lines that were in when the worker was killed. */
  readonly atKill: number
  readonly seconds: number
}

const every = 33

/** Contacts, three in a hundred of them faulty: an address that is none. */
function content(from: number, rows: number, delimiter: string): string {
  const head = ['Prénom', 'Nom', 'E-mail', 'Téléphone', 'Fonction', 'Date de naissance', 'Code']
  const lines = Array.from({ length: rows }, (_, at) => {
    const nth = from + at
    const mail = nth % 100 < 3 ? `no address ${nth}` : `person.${nth}@example.com`
    const phone = `+33 1 ${String(10_000_000 + nth).replaceAll(/(\d\d)(?=\d)/g, '$1 ')}`
    return [
      `Élise ${word(nth, 0)}`,
      `Léger ${word(nth, 8)}`,
      mail,
      phone,
      'Directrice générale',
      '03/04/1985',
      `${nth % every}`,
    ].join(delimiter)
  })
  return `${[head.join(delimiter), ...lines].join('\r\n')}\r\n`
}

/** Letters that no other number gives: people who are not alike. */
function word(nth: number, from: number): string {
  const letters = createHash('sha256')
    .update(String(nth))
    .digest('hex')
    .replaceAll(/\d/g, (digit) => 'ghijklmnop'[Number(digit)] ?? '')
  return letters.slice(from, from + 8)
}

/** Under which PostgreSQL lists its connections. */
export const workerName = 'import-worker'

/** A worker that takes up jobs and tells how much memory it holds. */
export class Worker {
  readonly process: ChildProcess
  memory = 0
  /** Seconds of processor time. */
  cpu = 0

  constructor(url: string) {
    this.process = fork(join(import.meta.dirname, 'import-process.ts'), [url], {
      // Memory as Node gives it to itself in a container of 512 MB: half of it; without a limit garbage is left lying.
      execArgv: ['--conditions=socle-source', '--max-old-space-size=256'],
      env: { ...process.env, PGAPPNAME: workerName },
    })
    this.process.on('message', (message) => {
      const { rss, cpu } = message as { rss: number; cpu: number }
      this.cpu = cpu
      this.memory = Math.max(this.memory, rss / 1_048_576)
    })
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit')
  }
}

/**
 * Imports `rows` contacts in two files, Windows-1252 with semicolons and UTF-8 with its mark, and kills the worker when
 * two fifths are in. Another one takes over.
 */
export async function killedImport(client: TestClient, url: string, rows: number): Promise<KilledImport> {
  const importing = new Importing(client, async () => {})
  const half = rows / 2
  const files = [iconv.encode(content(0, half, ';'), 'windows-1252'), Buffer.from(`\ufeff${content(half, half, ',')}`)]
  const started = performance.now()
  let worker = new Worker(url)
  let memory = 0
  let atKill = 0
  try {
    const imports: ImportJson[] = []
    for (const file of files) {
      const made = await importing.upload('core.contact', file)
      const mapping = made.mapping.map((it) => (it.column === 'Code' ? { column: 'Code', field: null } : it))
      await importing.change(made.id, { mapping, key: null, options: { dateFormat: 'DD/MM/YYYY' } })
      await importing.rehearse(made.id)
      if (atKill === 0) {
        await client.post(`/api/core/imports/${made.id}/run`)
        while ((atKill = (await importing.get(made.id)).counts.done) < rows * 0.37) await pause(100)
        await worker.kill()
        memory = worker.memory
        worker = new Worker(url)
        imports.push(await importing.settled(made.id))
      } else imports.push(await importing.run(made.id))
    }
    return {
      imports,
      memory: Math.max(memory, worker.memory),
      atKill,
      seconds: (performance.now() - started) / 1_000,
    }
  } finally {
    await worker.kill()
  }
}
