import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const BINARY = process.env.REDIS_SERVER ?? 'redis-server'

/** A real redis-server of its own, on a free port of the loopback. */
export class RedisServer {
  readonly port: number
  readonly url: string
  readonly #args: string[]
  readonly #dir: string = mkdtempSync(join(tmpdir(), 'escapement-redis-'))
  #process: ChildProcess | undefined

  constructor(port: number, args: string[]) {
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
    this.#args = args
  }

  static async start(args: string[] = []): Promise<RedisServer> {
    try {
      execFileSync(BINARY, ['--version'], { stdio: 'ignore' })
    } catch {
      throw new Error(
        `these tests need redis-server: install it (Debian: apt-get install redis-server) or set REDIS_SERVER`,
      )
    }
    const server = new RedisServer(await freePort(), args)
    await server.up()
    return server
  }

  get pid(): number {
    return this.#process?.pid as number
  }

  /** Starts it, empty after `kill()`. */
  async up(): Promise<void> {
    const given = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--dir', this.#dir]
    const child = spawn(BINARY, [...given, ...this.#args], { stdio: 'ignore' })
    this.#process = child
    for (let tries = 0; tries < 400; tries++) {
      if (await answers(this.port)) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`redis-server does not come up on port ${this.port}`)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }

  /** Hangs: takes connections and commands, and answers nothing. */
  hang(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    this.resume()
    await this.kill()
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(String(data).startsWith('+PONG'))
    })
    socket.once('error', () => resolve(false))
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
