// npm test: all tests, set up first if it must be. Arguments go to vitest.
import { join } from 'node:path'
import { build, checkNode, install, programs, root, run } from './setup.mjs'

checkNode()
install()
// The processes that integration tests start run the compiled packages.
build()
programs({ 'redis-server': 'redis-server' })
run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)])
