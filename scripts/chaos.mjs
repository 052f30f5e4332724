// npm run chaos: fleets of processes on real Redis servers, harmed on purpose; set up first if it must be.
import { join } from 'node:path'
import { build, checkNode, install, programs, root, run } from './setup.mjs'

checkNode()
install()
build()
programs({ 'redis-server': 'redis-server' })
run(process.execPath, [join(root, 'chaos/dist/main.js'), ...process.argv.slice(2)])
