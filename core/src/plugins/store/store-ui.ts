import { extname } from 'node:path'
import { sql } from 'kysely'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../database/database.ts'
import { assetHeaders, type StaticUi } from '../../http/static-ui.ts'
import type { StoredPlugin } from './artefacts.ts'
import { folderName, type PluginStore } from './plugin-store.ts'

export interface StoreUiParts {
  readonly database: Database
  readonly store: PluginStore
  readonly clock: Clock
  readonly running: (plugin: string) => StoredPlugin | undefined
}

type Version = Pick<StoredPlugin, 'id' | 'version' | 'integrity' | 'manifest'>

// Tabs that lag a new version, or a switch, still ask for what they began with.
const servedFor = 24 * 3_600_000

/**
 * The screens of archives beside those of the deployment, at addresses that hold the hash of the archive:
 * `/assets/@<plugin>/<version>-<hash>/…`. Those of a version that was replaced are there for another day.
 */
export function storeUi(deployment: StaticUi, { database, store, clock, running }: StoreUiParts): StaticUi {
  const versions = new Map<string, Version>()
  /** Asked again each time where it is not what runs: a replaced one ends. */
  const versionOf = async (plugin: string, folder: string): Promise<Version | undefined> => {
    const now = running(plugin)
    if (now && folderName(now.version, now.integrity) === folder) return now
    const key = `${plugin}/${folder}`
    const since = new Date(clock.now().getTime() - servedFor).toISOString()
    const { rows } = await sql<Version & { served: boolean }>`
      select v.plugin as id, v.version, v.integrity, v.replaced_at is null or v.replaced_at > ${since}::timestamptz as served
        ${versions.has(key) ? sql`` : sql`, v.manifest`}
      from core.plugin_version v where v.plugin = ${plugin}`.execute(database.owner)
    const found = rows.find((row) => row.served && folderName(row.version, row.integrity) === folder)
    if (!found) return undefined
    const version = versions.get(key) ?? found
    versions.set(key, version)
    return version
  }
  return {
    page: () => deployment.page(),
    plugin(id) {
      const stored = running(id)
      if (!stored) return deployment.plugin(id)
      const { version, integrity, manifest } = stored
      return manifest.ui && `/assets/@${id}/${folderName(version, integrity)}/${manifest.ui}`
    },
    async asset(path, request) {
      const [, plugin, folder, file] = /^\/assets\/@([a-z0-9-]+)\/([\w.+-]+)\/(.+)$/.exec(path) ?? []
      if (plugin === undefined || folder === undefined || file === undefined) return deployment.asset(path, request)
      const version = await versionOf(plugin, folder)
      const bytes = version && (await store.asset(version, file))
      return bytes && new Response(new Uint8Array(bytes), { headers: assetHeaders(extname(file)) })
    },
  }
}
