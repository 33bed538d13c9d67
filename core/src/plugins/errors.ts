import { defineError, SocleError } from '../errors.ts'

export const pluginDisabled = defineError<{ plugin: string }>(
  'PLUGIN_DISABLED',
  404,
  ({ plugin }) =>
    `The module "${plugin}" is not switched on in this workspace. An administrator can switch it on under Modules.`,
)

export const pluginUnknown = defineError<{ plugin: string }>(
  'PLUGIN_UNKNOWN',
  404,
  ({ plugin }) => `No module "${plugin}" is installed here. The installed ones stand under Modules.`,
)

export const pluginRequirementMissing = defineError<{ plugin: string; requires: string; range: string; found: string }>(
  'PLUGIN_REQUIREMENT_MISSING',
  409,
  ({ plugin, requires, range, found }) =>
    `${plugin} needs ${requires} ${range}, found ${found}. Install or switch on ${requires} first.`,
)

export const pluginHasDependents = defineError<{ plugin: string; dependents: string }>(
  'PLUGIN_HAS_DEPENDENTS',
  409,
  ({ plugin, dependents }) =>
    `${dependents} needs ${plugin}. Begin with that one, or send "cascade": true for all of them.`,
)

/** What is being done to a plugin, as a sentence goes on after "is being". */
const doings: Readonly<Record<string, string>> = {
  enable: 'switched on',
  disable: 'switched off',
  quarantine: 'stopped after faults',
  install: 'installed',
  upgrade: 'upgraded',
  uninstall: 'removed',
  clear: 'emptied',
  restore: 'restored',
}

export const pluginBusy = defineError<{ plugin: string; operation: string; by: string; since: string }>(
  'PLUGIN_BUSY',
  409,
  ({ plugin, operation, by, since }) =>
    `${plugin} is being ${doings[operation] ?? operation} by ${by} since ${since}. Wait until that is done, then try again.`,
)

export const operationLost = defineError<{ plugin: string }>(
  'OPERATION_LOST',
  503,
  ({ plugin }) =>
    `The work on ${plugin} took so long that this process was taken for dead, and nothing of it was kept. Look how ${plugin} stands, then try again.`,
)

export const pluginQuarantined = defineError<{ plugin: string }>(
  'PLUGIN_QUARANTINED',
  503,
  ({ plugin }) =>
    `The module "${plugin}" was stopped after faults of its own; its data is kept. An administrator sees them, and what brings it back, under Modules.`,
)

/** Why a module was stopped, as its card says it. */
export const pluginFailing = defineError<{ failures: number; calls: number; fault: string }>(
  'PLUGIN_FAILING',
  503,
  ({ failures, calls, fault }) => `${failures} of its last ${calls} calls failed, the last with: ${fault}`,
)

/** Why a module was stopped, as its card says it. */
export const pluginStalling = defineError<{ seconds: number; place: string }>(
  'PLUGIN_STALLING',
  503,
  ({ seconds, place }) =>
    `For ${seconds} s within a minute nothing else could run, because of ${place}. Long work belongs into a job, in pieces.`,
)

/** A module that takes part in what another does, and cannot. */
export const pluginFailed = defineError<{ plugin: string }>(
  'PLUGIN_FAILED',
  503,
  ({ plugin }) =>
    `The module "${plugin}" takes part in this and failed at its part, so nothing was changed. Try again; if it stays, an administrator sees why under Modules and can switch it off.`,
)

export const pluginAsleep = defineError<{ plugin: string }>(
  'SAFE_MODE',
  503,
  ({ plugin }) =>
    `The platform runs in safe mode, without any module, so "${plugin}" does not answer. Its data is kept; the operator starts without SAFE_MODE to bring it back.`,
)

export const pluginReplaced = defineError<{ plugin: string }>(
  'PLUGIN_REPLACED',
  503,
  ({ plugin }) =>
    `Another version of "${plugin}" was installed while this ran, and took over before it ended. Nothing of it was kept; try again.`,
)

/** Whether work ended because its plugin was switched off, stopped or replaced meanwhile: no failure of the work. */
export function isPluginGone(error: unknown): boolean {
  return (
    error instanceof SocleError &&
    [pluginDisabled.code, pluginQuarantined.code, pluginReplaced.code].includes(error.code)
  )
}

export const pluginNotStarted = defineError<{ plugin: string; reason: string }>(
  'PLUGIN_NOT_STARTED',
  422,
  ({ plugin, reason }) =>
    `${plugin} could not start, stays as it was and has changed nothing: ${reason} The fault stands on its card under Modules.`,
)

export const pluginStartTimedOut = defineError<{ plugin: string; seconds: number }>(
  'PLUGIN_START_TIMED_OUT',
  503,
  ({ plugin, seconds }) =>
    `${plugin} did not say within ${seconds} s that it is well and ready. Whatever it waits for must be there, or be waited for in a job.`,
)

export const pluginStopTimedOut = defineError<{ plugin: string; seconds: number }>(
  'PLUGIN_STOP_TIMED_OUT',
  503,
  ({ plugin, seconds }) =>
    `${plugin} did not take back within ${seconds} s what it began here. It is off all the same; what it left is gone with the next start.`,
)

export const pluginTimedOut = defineError<{ plugin: string; seconds: number }>(
  'PLUGIN_TIMED_OUT',
  500,
  ({ plugin, seconds }) =>
    `${plugin} did not come to an end within ${seconds} s, and nothing of it was kept. Try again; if it stays so, tell an administrator. Whoever makes the module hands work that long to a job.`,
)

export const pluginCycle = defineError<{ path: string }>(
  'PLUGIN_CYCLE',
  422,
  ({ path }) => `These modules need each other in a circle: ${path}. One of them must let the other be optional.`,
)

export const platformIncompatible = defineError<{ plugin: string; range: string; platform: string }>(
  'PLATFORM_INCOMPATIBLE',
  409,
  ({ plugin, range, platform }) =>
    `${plugin} runs on platform ${range}; this is ${platform}. Install a version of it made for this platform.`,
)

export const contributionCollision = defineError<{ what: string; first: string; second: string }>(
  'CONTRIBUTION_COLLISION',
  409,
  ({ what, first, second }) => `${what} is claimed by ${first} and by ${second}. Only one of them can be installed.`,
)

export const offerForeign = defineError<{ plugin: string; offer: string; own: string }>(
  'OFFER_FOREIGN',
  422,
  ({ plugin, offer, own }) =>
    `${plugin} offers "${offer}", a name of another module. What a module offers begins with its own name: call it "${own}".`,
)

export const serviceAbsent = defineError<{ service: string }>(
  'SERVICE_ABSENT',
  409,
  ({ service }) =>
    `No enabled module provides ${service} here. Switch on the module it belongs to, or ask with tryUse.`,
)

export const serviceEnded = defineError<{ service: string }>(
  'SERVICE_ENDED',
  500,
  ({ service }) =>
    `${service} was asked for in a piece of work that is over, and its module may be off or another since. Ask for it anew in each piece of work, with use, and keep none.`,
)

/** @param what - a service or an extension point, `sales/forecasts@1` */
export const useUndeclared = defineError<{ plugin: string; what: string }>(
  'USE_UNDECLARED',
  500,
  ({ plugin, what }) =>
    `${plugin} asked for ${what}, which it does not declare. Let its definePlugin name it under "uses", so that everybody can see who relies on it.`,
)

export const useWithoutPeer = defineError<{ plugin: string; what: string; peer: string }>(
  'USE_WITHOUT_PEER',
  422,
  ({ plugin, what, peer }) =>
    `${plugin} uses ${what} and names ${peer} neither under "requires" nor under "optional". Name it there with the versions it works with.`,
)

export const keyGone = defineError<{ key: string; workspace: string }>(
  'KEY_GONE',
  403,
  ({ key, workspace }) =>
    `API key ${key} is expired or revoked in ${workspace}, so what it started stops. Start it again with a key that is valid.`,
)

export const memberGone = defineError<{ user: string; workspace: string }>(
  'MEMBER_GONE',
  403,
  ({ user, workspace }) =>
    `User ${user} is no longer active in ${workspace}, so what they started stops. Start it again as somebody who is.`,
)

export const pluginLoadTimedOut = defineError<{ plugin: string; seconds: number }>(
  'PLUGIN_LOAD_TIMED_OUT',
  503,
  ({ plugin, seconds }) =>
    `The code of ${plugin} was not loaded within ${seconds} s. Something in it waits as it is imported; take that out, or wait for it in "onEnable".`,
)

export const pluginNotExported = defineError<{ plugin: string }>(
  'PLUGIN_NOT_EXPORTED',
  422,
  ({ plugin }) =>
    `The package of ${plugin} exports no plugin. Export what definePlugin answers from the file its package.json names as ".".`,
)

/** Its values are JSON, or "nothing". */
export const manifestMismatch = defineError<{ plugin: string; what: string; declared: string; found: string }>(
  'MANIFEST_MISMATCH',
  422,
  ({ plugin, what, declared, found }) =>
    `${plugin} says ${declared} for its ${what} and its code says ${found}. Pack it again, so that both say the same.`,
)

export const settingsForeign = defineError<{ plugin: string; owner: string }>(
  'SETTINGS_FOREIGN',
  500,
  ({ plugin, owner }) =>
    `${plugin} asked for the settings of ${owner}. A module reads its own alone; let ${owner} provide a service that tells what others may know.`,
)

export const settingsAbsent = defineError<{ plugin: string }>(
  'SETTINGS_ABSENT',
  404,
  ({ plugin }) => `The module "${plugin}" has nothing to set. What it offers stands under Modules.`,
)

export const answerInvalid = defineError<{ plugin: string; route: string; fault: string }>(
  'ANSWER_INVALID',
  500,
  ({ plugin, route, fault }) =>
    `${plugin} answers ${route} with something else than it declares: ${fault}. Nothing was changed. Ask whoever made it to correct the answer or its declaration.`,
)
