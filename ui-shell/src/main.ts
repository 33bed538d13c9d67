import { defineKit } from '@socle/sdk/ui'
import '../../sdk/ui/tokens.css'
import '../../sdk/ui/base.css'
import './shell.css'
import { define } from './define.ts'
import './icons.ts'
import { ShellApp } from './shell-app.ts'
import { ShellBottomBar } from './shell-bottom-bar.ts'
import { ShellNav } from './shell-nav.ts'
import { ShellNotice } from './shell-notice.ts'
import { ShellOutlet } from './shell-outlet.ts'
import { ShellTopBar } from './shell-top-bar.ts'

defineKit()
define('shell-outlet', ShellOutlet)
define('shell-nav', ShellNav)
define('shell-top-bar', ShellTopBar)
define('shell-bottom-bar', ShellBottomBar)
define('shell-notice', ShellNotice)
define('shell-app', ShellApp)
