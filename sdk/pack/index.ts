export { pluginUnit, unitConfig, type Unit, type UnitOptions } from './browser-unit.ts'
export { packPlugin, signPlugin, type PackOptions } from './pack-plugin.ts'
export { kitName, litMoreNames, litNames, sharedNames, sharedNamesFor, sharedVersions } from './shared-names.ts'
