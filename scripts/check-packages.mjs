// What a registry user would trip over: publint on each package, and the types as each kind of module sees them.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './setup.mjs'

const run = promisify(execFile)
const bin = (name) => join(root, 'node_modules/.bin', name)
const queue = readdirSync(join(root, 'packages'))
let failed = false

async function check(name) {
  const folder = join(root, 'packages', name)
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const steps = [[bin('publint'), ['--strict', folder]]]
  if (exports['.']) steps.push([bin('attw'), ['--pack', folder, '--no-color', '--quiet']])
  for (const [command, args] of steps) {
    try {
      await run(command, args, { cwd: root })
    } catch (error) {
      failed = true
      console.error(`${name}: ${error.stdout}${error.stderr}`)
    }
  }
}

await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let name = queue.pop(); name; name = queue.pop()) await check(name)
  }),
)
if (failed) process.exit(1)
console.log('publint and attw: fine')
