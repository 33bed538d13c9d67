import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A platform in a process of its own, and somebody who is signed in there. */
export interface ServedProcess {
  readonly child: ChildProcess
  readonly url: string
  /** @param cookie - of a session; that of any process is good for all */
  ask(method: string, path: string, body?: object): Promise<{ status: number; body: any }>
  /** Fetches a file, or sends a form. */
  fetch(path: string, form?: FormData): Promise<Response>
  end(): Promise<void>
}

let cookie: string | undefined

export async function serveProcess(database: string): Promise<ServedProcess> {
  const child = fork(join(import.meta.dirname, 'serve-process.ts'), [database], {
    execArgv: ['--conditions=socle-source'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  cookie ??= await signIn(url)
  return {
    child,
    url,
    async ask(method, path, body) {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { cookie: cookie ?? '', origin: url, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: answer.status, body: await answer.json().catch(() => undefined) }
    },
    fetch: (path, form) =>
      fetch(`${url}${path}`, {
        ...(form ? { method: 'POST', body: form } : {}),
        headers: { cookie: cookie ?? '', origin: url },
      }),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

async function signIn(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { origin: url, 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'claire@example.com', password: 'a password of tests' }),
  })
  return answer.headers
    .getSetCookie()
    .map((it) => it.split(';')[0])
    .join('; ')
}
