import { defineError } from '../../errors.ts'

export const archiveUnreadable = defineError<{ place: string }>(
  'ARCHIVE_UNREADABLE',
  422,
  ({ place }) =>
    `The archive is not what was written: its sums differ at ${place}. Nothing was changed; take another archive of the same module.`,
)

export const archiveFormatUnknown = defineError<{ format: string }>(
  'ARCHIVE_FORMAT_UNKNOWN',
  422,
  ({ format }) =>
    `The file is no archive of a module's data: it does not begin as "${format}" does. Send a file as it was downloaded under Modules; one of a newer platform is read after an upgrade.`,
)

/** @param place - a table, or what stands beside the tables */
export const archiveOversteps = defineError<{ plugin: string; place: string }>(
  'ARCHIVE_OVERSTEPS',
  422,
  ({ plugin, place }) =>
    `The archive holds what is not of ${plugin}, or of other workspaces than it says: ${place}. Nothing was changed; send a file as it was downloaded under Modules.`,
)

export const archiveUnfit = defineError<{ plugin: string; rule: string }>(
  'ARCHIVE_UNFIT',
  409,
  ({ plugin, rule }) =>
    `The rows of the archive do not fit the tables of ${plugin} that are here (${rule}). Nothing was changed; restore it where the same build of the module is installed.`,
)

export const archiveOfElsewhere = defineError<{ plugin: string }>(
  'ARCHIVE_OF_ELSEWHERE',
  409,
  ({ plugin }) =>
    `The archive holds the data of ${plugin} in workspaces that are not this one, or not of this installation. Send it where they are.`,
)

export const archiveTooLarge = defineError<{ limit: string }>(
  'ARCHIVE_TOO_LARGE',
  413,
  ({ limit }) =>
    `The archive is larger than ${limit}. Restore it where it was made, or clear one workspace at a time for smaller ones.`,
)

export const archiveFileMissing = defineError(
  'ARCHIVE_FILE_MISSING',
  422,
  () => 'No archive was sent. Send it as the file of a form, or as the body.',
)

export const archiveNotFound = defineError<{ id: string }>(
  'ARCHIVE_NOT_FOUND',
  404,
  ({ id }) => `No archive ${id} is kept here. Those there are stand under Modules.`,
)

export const archiveOfOther = defineError<{ plugin: string; of: string }>(
  'ARCHIVE_OF_OTHER',
  409,
  ({ plugin, of }) => `The archive is of ${of} and not of ${plugin}. Restore it there.`,
)

/** @param installed - a version, or `none` */
export const archiveOfOtherVersion = defineError<{ plugin: string; version: string; installed: string }>(
  'ARCHIVE_OF_OTHER_VERSION',
  409,
  ({ plugin, version, installed }) =>
    `The archive was made with ${plugin} ${version}, found ${installed}. Install ${version}, restore the archive, then upgrade.`,
)

export const pluginStillOn = defineError<{ plugin: string }>(
  'PLUGIN_STILL_ON',
  409,
  ({ plugin }) => `${plugin} is switched on. Switch it off first, so that nothing writes to its tables meanwhile.`,
)

export const dataPresent = defineError<{ plugin: string; rows: number; table: string }>(
  'DATA_PRESENT',
  409,
  ({ plugin, rows, table }) =>
    `${plugin} has ${rows} rows in ${table} already, and an archive is restored into empty tables. Archive or purge what is there first.`,
)

export const confirmationDiffers = defineError<{ plugin: string; typed: string }>(
  'CONFIRMATION_DIFFERS',
  422,
  ({ plugin, typed }) =>
    `A purge cannot be undone. To say that you mean it send "confirm": "${plugin}"; it says "${typed}".`,
)

export const removalFailed = defineError<{ plugin: string; reason: string }>(
  'PLUGIN_NOT_REMOVED',
  409,
  ({ plugin, reason }) =>
    `${plugin} stays as it was: ${reason} Nothing of its data was touched; mend that and try again.`,
)

export const pluginNotKept = defineError<{ plugin: string }>(
  'PLUGIN_NOT_KEPT',
  409,
  ({ plugin }) => `The code of ${plugin} is no longer here. Upload its archive to install it.`,
)

export const uninstallTimedOut = defineError<{ plugin: string; seconds: number }>(
  'PLUGIN_UNINSTALL_TIMED_OUT',
  503,
  ({ plugin, seconds }) =>
    `${plugin} did not end its "onUninstall" within ${seconds} s, and goes all the same. Whatever it waits for belongs into a job before.`,
)
