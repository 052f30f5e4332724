// What a fresh clone needs before its first command. Needs nothing but Node and npm itself.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
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

/** Builds the packages that have changed. */
export function build() {
  run(
    join(root, 'node_modules/.bin/turbo'),
    ['run', 'build', '--output-logs=errors-only', '--log-order=grouped'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
    },
  )
}

/** Where a program is: on the PATH, or where Debian puts PostgreSQL. Undefined when nowhere. */
export function which(program) {
  const versions = '/usr/lib/postgresql'
  const folders = (process.env.PATH ?? '').split(delimiter)
  if (existsSync(versions))
    folders.push(...readdirSync(versions).map((version) => join(versions, version, 'bin')))
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/**
 * Installs programs where we may: as root, with apt. Returns those that are still missing.
 *
 * @param needed Names of programs, and the Debian packages they come in.
 */
export function programs(needed) {
  const missing = () => Object.keys(needed).filter((program) => !which(program))
  if (missing().length > 0 && which('apt-get') && process.getuid?.() === 0) {
    const packages = [...new Set(missing().map((program) => needed[program]))].join(' ')
    console.log(`installing ${packages} …`)
    // The run level keeps Debian from starting what it installs.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    run(
      'sh',
      ['-c', `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${packages} >/dev/null`],
      { env },
    )
  }
  return missing()
}

function mtime(path) {
  return statSync(path).mtimeMs
}
