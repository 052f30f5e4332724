import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'

export interface Server {
  /** How a pool connects. */
  readonly config: pg.PoolConfig
  pool(config?: pg.PoolConfig): pg.Pool
  /** Stops it at once, as when the machine fails. */
  kill(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** A PostgreSQL of its own in a temporary folder, reached by a socket there: no port is taken. */
export async function startServer(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'pg-'))
  // PostgreSQL refuses to run as root.
  const user = process.getuid?.() === 0 ? userOf('postgres') : {}
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid as number)
  chmodSync(folder, 0o755)
  const data = join(folder, 'data')
  const options = { ...user, cwd: folder, env: { ...process.env, LC_ALL: 'C' } }
  execFileSync(program('initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], {
    ...options,
    stdio: 'pipe',
  })
  const config = { host: folder, user: 'postgres', database: 'postgres' }
  const pools = new Set<pg.Pool>()
  let child: ChildProcess | undefined

  const server: Server = {
    config,
    pool(more = {}) {
      const pool = new pg.Pool({ ...config, ...more })
      // A killed server ends idle clients.
      pool.on('error', () => {})
      pools.add(pool)
      return pool
    },
    async start() {
      const args = ['-D', data, '-k', folder, '-h', '', '-F', '-c', 'max_connections=200']
      const started = spawn(program('postgres'), args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
      child = started
      await new Promise<void>((resolve, reject) => {
        let text = ''
        started.stderr.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
          if (text.includes('ready to accept connections')) resolve()
        })
        started.once('exit', (code) => reject(new Error(`postgres ended with ${code}: ${text}`)))
      })
    },
    async kill() {
      const killed = child
      child = undefined
      if (!killed) return
      const over = new Promise((resolve) => killed.once('exit', resolve))
      // Immediate shutdown: as a crash, but its children end with it.
      killed.kill('SIGQUIT')
      await over
    },
    async close() {
      await Promise.all([...pools].filter((pool) => !pool.ended).map((pool) => pool.end()))
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

function program(name: string): string {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
  ]
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
  if (!found) throw new Error(`${name} is not installed: on Debian and Ubuntu, apt-get install postgresql`)
  return found
}

/** The ids to run a program as. */
export function userOf(name: string): { uid?: number; gid?: number } {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const fields = (lines.find((line) => line.startsWith(`${name}:`)) ?? '').split(':')
  if (fields.length < 4) throw new Error(`there is no user ${name} to run PostgreSQL as`)
  return { uid: Number(fields[2]), gid: Number(fields[3]) }
}
