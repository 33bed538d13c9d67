import { readdir, unlink } from 'node:fs/promises'
import { join, relative } from 'node:path'

const servedFor = 24 * 60 * 60 * 1000

/**
 * Removes files that no build uses any more, a day after the first build that did not: open tabs still ask for what they began
 * with.
 *
 * @param outDir - where `assets/` stands
 * @param used - files below it that stay, without the endings of their compressed forms
 * @param replaced - when each file was first found unused, in milliseconds; as answered the last time
 * @returns the same for the next time
 */
export async function dropOldAssets(
  outDir: string,
  used: ReadonlySet<string>,
  replaced: Readonly<Record<string, number>>,
  now: number,
): Promise<Record<string, number>> {
  const since: Record<string, number> = {}
  for (const entry of await readdir(join(outDir, 'assets'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const file = relative(outDir, path)
    if (used.has(file.replace(/\.(br|gz)$/, ''))) continue
    const from = replaced[file] ?? now
    if (now - from > servedFor) await unlink(path)
    else since[file] = from
  }
  return since
}
