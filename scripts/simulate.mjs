// npm run simulate: the fleet code in a simulated world, see simulation/README.md.
import { join } from 'node:path'
import { build, checkNode, install, root, run } from './setup.mjs'

checkNode()
install()
build()
run(process.execPath, [join(root, 'simulation/dist/main.js'), ...process.argv.slice(2)])
