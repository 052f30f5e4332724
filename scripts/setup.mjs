// What a fresh clone needs before its first command. Needs nothing but Node and npm itself.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs a command with its output shown; ends this process with its status if it fails. */
export function run(command, args, options = {}) {
  const shell = process.platform === 'win32'
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell, ...options })
  if (error) console.error(`${command}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if ((major === 20 && minor >= 16) || (major === 22 && minor >= 3) || major > 22) return
  console.error(`Node 20.16 or 22.3 and later is needed, but this is ${process.version}`)
  process.exit(1)
}

/** Installs the dependencies, if they are not there or the lockfile is newer. */
export function install() {
  const marker = join(root, 'node_modules/.package-lock.json')
  if (existsSync(marker) && mtime(marker) >= mtime(join(root, 'package-lock.json'))) return
  console.log('installing dependencies …')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** Compiles what has changed. */
export function build() {
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'])
}

/** The first folder of PATH that holds a program, or undefined. */
export function which(program) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/**
 * Finds the programs the tests talk to, or installs them where we may: with apt as root. Ends with what to do
 * where we may not.
 */
export function programs(needed) {
  const missing = Object.keys(needed).filter((program) => !which(program))
  if (missing.length === 0) return
  const packages = missing.map((program) => needed[program])
  if (which('apt-get') && process.getuid?.() === 0) {
    console.log(`installing ${packages.join(', ')} …`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    // No services are to be started by the installation.
    run(
      'sh',
      [
        '-c',
        `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${packages.join(' ')} >/dev/null`,
      ],
      { env },
    )
    return
  }
  console.error(`The tests need ${missing.join(', ')} on the PATH. Install them:`)
  console.error(`  Debian, Ubuntu:  sudo apt-get install ${packages.join(' ')}`)
  console.error(
    `  macOS:           brew install ${packages.map((name) => name.replace('-server', '')).join(' ')}`,
  )
  process.exit(1)
}

function mtime(path) {
  return statSync(path).mtimeMs
}
