import { createHash } from 'node:crypto'
import { type Compiled, compile } from '../lua/compile.ts'
import { Table } from '../lua/library.ts'
import type { Random } from '../random.ts'
import type { World } from '../world.ts'
import { type Context, commands, type Reply } from './commands.ts'
import { copy, type Keyspace } from './keyspace.ts'

/** Compiled scripts, for all servers of all simulations. */
const compiled = new Map<string, Compiled>()

/** One Redis: what it holds, its clock, its scripts, and what becomes of it. */
export class Server {
  readonly name: string
  up = true
  /** Executes nothing until then, in true time: SIGSTOP, a slow disk. */
  hungUntil = 0
  /** Its wall clock less true time, in ms. */
  skew = 0
  runId: string
  /** Rises when its connections break. */
  life = 0
  /** How often it came up with less than it had acknowledged: what was promised before is not known any more. */
  get losses(): number {
    return this.forgotAt.length
  }
  /** When that was, in true time. */
  readonly forgotAt: number[] = []
  /** Executes no script until then, in true time, and answers so. */
  refusal = { until: 0, text: '' }
  calls = 0
  #space: Keyspace = new Map()
  #snapshot: Keyspace = new Map()
  #scripts = new Map<string, string>()
  #since: number
  readonly #world: World
  readonly #random: Random
  /** Told when connections break. */
  readonly onDown: Set<() => void> = new Set<() => void>()
  readonly onUp: Set<() => void> = new Set<() => void>()

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    this.#random = world.random.fork(`redis ${name}`)
    this.runId = this.#newId()
    this.#since = world.now
  }

  #newId(): string {
    return Array.from({ length: 40 }, () => this.#random.integer(0, 15).toString(16)).join('')
  }

  get keys(): number {
    return this.#space.size
  }

  /** The state of each tick that is on record, by its id. */
  get claims(): Map<string, string> {
    const claims = new Map<string, string>()
    for (const [key, { value }] of this.#space) {
      const [, job, at] = /^\{[^}]*\}:([^:]+):t:(\d+)$/.exec(key) ?? []
      if (job && typeof value === 'string')
        claims.set(`${job}@${new Date(Number(at)).toISOString()}`, value.split('|')[3] as string)
    }
    return claims
  }

  get hung(): boolean {
    return this.#world.now < this.hungUntil
  }

  /** Keeps a copy, as a background save does. */
  save(): void {
    this.#snapshot = copy(this.#space)
  }

  kill(): void {
    this.up = false
    this.life++
    for (const tell of [...this.onDown]) tell()
  }

  /** Comes up with nothing, with its last snapshot, or with all it had (an append-only file that is synced always). */
  start(memory: 'none' | 'snapshot' | 'all'): void {
    if (memory === 'none') this.#space = new Map()
    if (memory === 'snapshot') this.#space = copy(this.#snapshot)
    if (memory !== 'all') this.forgotAt.push(this.#world.now)
    this.#scripts.clear()
    this.runId = this.#newId()
    this.#since = this.#world.now
    this.hungUntil = 0
    this.up = true
    for (const tell of [...this.onUp]) tell()
  }

  /** A replica that lags behind takes over: another server, with what it had some time ago. Connections break. */
  failOver(): void {
    this.kill()
    this.start('snapshot')
  }

  /** A replica takes over behind a proxy that keeps its clients' connections. */
  switchOver(): void {
    this.#space = copy(this.#snapshot)
    this.forgotAt.push(this.#world.now)
    this.#scripts.clear()
    this.runId = this.#newId()
    this.#since = this.#world.now
  }

  flushScripts(): void {
    this.#scripts.clear()
  }

  /** Executes a command, now. */
  execute(command: string, args: string[]): Reply | Error {
    this.calls++
    try {
      if (command === 'EVAL' || command === 'EVALSHA') return this.#eval(command, args)
      return this.#call(command, args)
    } catch (error) {
      return error as Error
    }
  }

  #eval(command: string, [script = '', count = '0', ...rest]: string[]): Reply | Error {
    if (this.#world.now < this.refusal.until) return new Error(this.refusal.text)
    let source = script
    if (command === 'EVALSHA') {
      const known = this.#scripts.get(script)
      if (known === undefined) return new Error('NOSCRIPT No matching script. Please use EVAL.')
      source = known
    } else this.#scripts.set(createHash('sha1').update(script).digest('hex'), script)
    let run = compiled.get(source)
    if (!run) {
      run = compile(source)
      compiled.set(source, run)
    }
    const keys = Number(count)
    const argv = rest.slice(keys)
    // Time stands still within a script.
    const context = this.#context()
    const call = (name: string, ...args: unknown[]) => toLua(this.#call(name, args.map(argument), context))
    try {
      return toReply(run(new Table(rest.slice(0, keys)), new Table(argv), call as never))
    } catch (error) {
      return new Error(`ERR ${(error as Error).message} script: ${source.slice(0, 40)}`)
    }
  }

  #context(): Context {
    const { wall } = this.#world
    const micros = Math.floor((wall + this.skew) * 1000)
    const uptime = Math.floor((this.#world.now - this.#since) / 1000)
    return {
      space: this.#space,
      micros,
      info: `# Server\r\nredis_version:7.0.15\r\nrun_id:${this.runId}\r\nuptime_in_seconds:${uptime}\r\n`,
    }
  }

  #call(name: string, args: string[], context: Context = this.#context()): Reply {
    const command = commands[name.toUpperCase()]
    if (!command) throw new Error(`ERR unknown command '${name}': it is not simulated`)
    return command(context, args)
  }
}

/** A number that a script passes on is written as Redis writes it: `%.17g`, whole numbers without a point. */
function argument(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw new Error('Lua redis lib command arguments must be strings or integers')
}

function toLua(reply: Reply): unknown {
  if (reply === null) return false
  return Array.isArray(reply) ? new Table(reply.map(toLua)) : reply
}

function toReply(value: unknown): Reply {
  const one = Array.isArray(value) ? value[0] : value
  if (one === undefined || one === false) return null
  if (one === true) return 1
  if (typeof one === 'number') return Math.trunc(one)
  if (typeof one === 'string') return one
  if (!(one instanceof Table)) throw new Error('a script returned what is no reply')
  const end = one.list.indexOf(undefined)
  return (end < 0 ? one.list : one.list.slice(0, end)).map(toReply)
}
