const failures = new Map<string, number>()

/**
 * Imports a module. One whose code threw is run again when it is asked for again, by another address: under the same one it
 * would throw the same error for as long as the process lives. Modules it imports itself are not run again: one of those that
 * threw needs a restart.
 */
export async function importModule({ href }: URL): Promise<Readonly<Record<string, unknown>>> {
  const failed = failures.get(href) ?? 0
  try {
    return (await import(/* @vite-ignore */ failed === 0 ? href : `${href}?again=${failed}`)) as Record<string, unknown>
  } catch (error) {
    failures.set(href, failed + 1)
    throw error
  }
}
