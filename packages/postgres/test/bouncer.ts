import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type pg from 'pg'
import { type Server, userOf } from './server.ts'

/** A PgBouncer in transaction mode before a server, with few connections to share. */
export async function startBouncer(
  server: Server,
): Promise<{ config: pg.PoolConfig; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'bouncer-'))
  const user = process.getuid?.() === 0 ? userOf('postgres') : {}
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid as number)
  chmodSync(folder, 0o755)
  const ini = join(folder, 'pgbouncer.ini')
  writeFileSync(
    ini,
    [
      '[databases]',
      `postgres = host=${server.config.host} user=postgres`,
      '[pgbouncer]',
      'pool_mode = transaction',
      'auth_type = any',
      'listen_addr =',
      'listen_port = 6432',
      `unix_socket_dir = ${folder}`,
      'default_pool_size = 4',
      'max_client_conn = 200',
    ].join('\n'),
  )
  const child: ChildProcess = spawn(program(), [ini], { ...user, stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise<void>((resolve, reject) => {
    let text = ''
    child.once('error', reject)
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('process up')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`pgbouncer ended with ${code}: ${text}`)))
  })
  return {
    config: { host: folder, port: 6432 },
    async close() {
      const over = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGQUIT')
      await over
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function program(): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  const found = folders.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path))
  if (!found) throw new Error('pgbouncer is not installed: on Debian and Ubuntu, apt-get install pgbouncer')
  return found
}
