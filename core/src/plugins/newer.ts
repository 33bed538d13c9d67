import { compareBuild, valid } from 'semver'

/** Whether a version comes after the one that began in a workspace; of what is no version nobody can say it. */
export function isNewer(version: string, before: string): boolean {
  return valid(version) !== null && valid(before) !== null && compareBuild(version, before) > 0
}
