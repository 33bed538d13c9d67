import { define } from '../define.ts'
import type { SessionState } from '../session-doc.ts'

/** Loads what stands at the door in a state of the session; nothing for whoever is in. */
export async function openDoor(state: SessionState): Promise<void> {
  if (state === 'signed-out') define('shell-sign-in', (await import('./shell-sign-in.ts')).ShellSignIn)
  if (state === 'second-factor') define('shell-strengthen', (await import('./shell-strengthen.ts')).ShellStrengthen)
  if (state === 'link') define('shell-welcome', (await import('./shell-welcome.ts')).ShellWelcome)
  if (state === 'sign-on') define('shell-sign-on', (await import('./shell-sign-on.ts')).ShellSignOn)
}
