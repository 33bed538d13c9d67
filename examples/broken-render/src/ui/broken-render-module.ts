import { PluginElement } from '@socle/sdk/ui'

/** Is never made: its module throws. */
export class BrokenRenderModule extends PluginElement {}

throw new Error('This module cannot be loaded.')
