// npm start: the Express example, set up first if it must be. `npm start -- koa` runs the Koa one.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, checkNode, install, root } from './setup.mjs'

checkNode()
install()
build()
const name = process.argv[2] ?? 'express'
await import(pathToFileURL(join(root, `examples/${name}-app/dist/main.js`)))
