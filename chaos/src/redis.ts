import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** Sees to it that a child does not outlive us. */
export function reap(child: ChildProcess): ChildProcess {
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

const BINARY = process.env.REDIS_SERVER ?? 'redis-server'

/** Of the redis-server at hand; undefined when there is none. */
export function redisVersion(): string | undefined {
  try {
    return /v=(\S+)/.exec(execFileSync(BINARY, ['--version'], { encoding: 'utf8' }))?.[1]
  } catch {
    return undefined
  }
}

/** A real redis-server, or a Sentinel, on a free port of the loopback. Comes up empty after a kill. */
export class Server {
  readonly port: number
  readonly url: string
  readonly #args: readonly string[]
  readonly #config: string | undefined
  #dir: string | undefined
  #process: ChildProcess | undefined

  constructor(port: number, args: readonly string[], config?: string) {
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
    this.#args = args
    this.#config = config
  }

  static async start(args: readonly string[] = []): Promise<Server> {
    const server = new Server(await freePort(), args)
    await server.up()
    return server
  }

  static async sentinel(name: string, master: number, port: number): Promise<Server> {
    const config = [
      `sentinel monitor ${name} 127.0.0.1 ${master} 2`,
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 5000`,
      `sentinel parallel-syncs ${name} 1`,
    ]
    const server = new Server(port, ['--sentinel'], config.join('\n'))
    await server.up()
    return server
  }

  async up(): Promise<void> {
    this.#dir ??= mkdtempSync(join(tmpdir(), 'escapement-chaos-'))
    const file = join(this.#dir, 'redis.conf')
    writeFileSync(file, `${this.#config ?? 'save ""'}\n`)
    const args = [file, '--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#dir, ...this.#args]
    this.#process = reap(spawn(BINARY, args, { stdio: 'ignore' }))
    for (let tries = 0; tries < 500; tries++) {
      if ((await this.command('PING')).startsWith('+PONG')) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`redis-server does not come up on port ${this.port}`)
  }

  async kill(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  async restartEmpty(): Promise<void> {
    await this.kill()
    await this.up()
  }

  hang(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    await this.kill()
    if (this.#dir) rmSync(this.#dir, { recursive: true, force: true })
  }

  /** The raw reply to an inline command; empty when there is none. */
  command(line: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = createConnection({ port: this.port, host: '127.0.0.1' }, () =>
        socket.write(`${line}\r\n`),
      )
      socket.setTimeout(1000, () => socket.destroy())
      socket.once('data', (data) => {
        socket.destroy()
        resolve(String(data))
      })
      socket.once('error', () => resolve(''))
      socket.once('close', () => resolve(''))
    })
  }

  /** Processor time spent, in ms. */
  async cpu(): Promise<number> {
    const info = await this.command('INFO cpu')
    const of = (name: string) => Number(new RegExp(`used_cpu_${name}:([\\d.]+)`).exec(info)?.[1] ?? 0)
    return (of('user') + of('sys')) * 1000
  }
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
