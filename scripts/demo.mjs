// npm run demo: the page on a made-up fleet, set up first if it must be. PORT names the port.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, checkNode, install, root } from './setup.mjs'

checkNode()
install()
build()
await import(pathToFileURL(join(root, 'examples/demo/dist/main.js')))
