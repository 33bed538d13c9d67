import { defineError } from '../../errors.ts'

/** What is wrong with an archive before anything in it is believed. */
const archiveFaults = {
  format: 'is not a gzipped tar',
  link: 'holds a link',
  device: 'holds something that is neither a file nor a folder',
  path: 'holds a path that leads out of it',
  twice: 'holds a file twice',
  size: 'is larger than 50 MB unpacked',
  count: 'holds more than 2,000 files',
  absent: 'is not there: send it as the file of a form, or as the body',
  upload: 'is larger than 20 MB',
  manifest: 'has no manifest.json that can be read',
  words: 'holds words that are no JSON object of texts',
} as const

/** @param entry - the file it is about, or `none` */
export const archiveRefused = defineError<{ reason: keyof typeof archiveFaults; entry: string }>(
  'ARCHIVE_REFUSED',
  422,
  ({ reason, entry }) =>
    `The archive ${archiveFaults[reason]}${entry === 'none' ? '' : ` (${entry})`}. Make it with "socle-plugin pack" and send that file.`,
)

export const pluginIntegrityFailed = defineError<{ plugin: string; what: string }>(
  'PLUGIN_INTEGRITY_FAILED',
  422,
  ({ plugin, what }) =>
    `${what} of ${plugin} is not what was packed: its SHA-512 or its signature says otherwise. Fetch the archive again from whoever made it.`,
)

export const pluginUnsigned = defineError<{ plugin: string; signer: string }>(
  'PLUGIN_UNSIGNED',
  422,
  ({ plugin, signer }) =>
    `${plugin} is signed by ${signer}, and this installation takes modules only from the signers in SOCLE_PLUGIN_SIGNERS. Ask for a signed archive, or let the operator add its signer.`,
)

export const sdkCopied = defineError<{ plugin: string }>(
  'SDK_COPIED',
  422,
  ({ plugin }) =>
    `${plugin} brings no plugin made with this platform's @socle/sdk: it exports none, or bundles a copy of the SDK. Make it with "socle-plugin pack", which leaves the SDK out.`,
)

/** @param faults - such as `fr.json badges.title (missing)`, separated by commas */
export const wordsRefused = defineError<{ plugin: string; faults: string }>(
  'WORDS_REFUSED',
  422,
  ({ plugin, faults }) =>
    `Words of ${plugin} cannot be said as they stand: ${faults}. Give every key in English and in French, with the same values, and pack it again.`,
)

export const pluginIdReserved = defineError<{ plugin: string }>(
  'PLUGIN_ID_RESERVED',
  422,
  ({ plugin }) => `"${plugin}" is a name the platform keeps for itself. Give the plugin another id.`,
)

export const uploadUnknown = defineError<{ id: string }>(
  'UPLOAD_UNKNOWN',
  404,
  ({ id }) => `No uploaded module ${id} waits here. Those not installed within a day are dropped; upload it again.`,
)

export const pluginOfDeployment = defineError<{ plugin: string }>(
  'PLUGIN_OF_DEPLOYMENT',
  409,
  ({ plugin }) =>
    `${plugin} comes with this deployment, and with it goes and changes. Ask the operator to change the deployment's package.`,
)

export const pluginPresent = defineError<{ plugin: string; version: string }>(
  'PLUGIN_PRESENT',
  409,
  ({ plugin, version }) => `${plugin} ${version} is installed already. Another content needs another version number.`,
)

export const downgradeRefused = defineError<{ plugin: string; version: string; installed: string }>(
  'DOWNGRADE_REFUSED',
  409,
  ({ plugin, version, installed }) =>
    `${plugin} ${version} is older than ${installed}, whose tables are here. Uninstall it with an archive, or restore the archive that was made with ${version}.`,
)

export const pluginLoadFailed = defineError<{ plugin: string; reason: string }>(
  'PLUGIN_LOAD_FAILED',
  422,
  ({ plugin, reason }) => `The code of ${plugin} does not load: ${reason}. Nothing was changed; ask whoever made it.`,
)

export const installedElsewhere = defineError(
  'INSTALLED_ELSEWHERE',
  403,
  () =>
    'Modules of this installation are installed by the administrators of the workspace it began with, because they run for all of its workspaces. Ask them.',
)
