import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Link } from './link.ts'
import type { Random } from './random.ts'
import { reap, Server } from './redis.ts'
import type { ClientConfig, Command, JobConfig, Line, WorkerConfig } from './worker-config.ts'

export interface WorldOptions {
  nodes?: number
  workers?: number
  /** Of the wall clock, in ms, by worker. */
  skews?: readonly number[]
  jobs?: readonly JobConfig[]
  lock?: WorkerConfig['lock']
  design?: WorkerConfig['design']
  /** Each worker has a proxy of its own to each node. */
  proxied?: boolean
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A thing that was done to the fleet, for the checker. */
export interface Deed {
  readonly t: number
  readonly what: string
  readonly worker?: string
}

class Worker {
  readonly name: string
  readonly process: ChildProcess
  /** Ends that we asked for are no crashes. */
  expected = false
  exit: string | undefined

  constructor(name: string, process: ChildProcess) {
    this.name = name
    this.process = process
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null
  }
}

/** Redis servers, a fleet of workers, and the means to harm them. */
export class World {
  readonly random: Random
  readonly nodes: Server[] = []
  readonly workers: Worker[] = []
  readonly deeds: Deed[] = []
  readonly #proxies = new Map<string, Link>()
  readonly #dir = mkdtempSync(join(tmpdir(), 'escapement-chaos-'))
  readonly #options: WorldOptions
  readonly #extra: { stop(): unknown }[] = []
  #names = 0
  /** Set when workers do not connect to `nodes` one by one. */
  clients: readonly ClientConfig[] | undefined

  constructor(options: WorldOptions, random: Random) {
    this.#options = options
    this.random = random
  }

  async startRedis(): Promise<void> {
    const { nodes = 1 } = this.#options
    for (let i = 0; i < nodes; i++) this.nodes.push(await Server.start())
    // A young Redis may have forgotten leases: it gives none before they are over.
    const lease = Number(this.#options.lock?.lease ?? 3000)
    await sleep(lease + 1100)
  }

  /** Stopped at the end, with the rest. */
  keep<T extends { stop(): unknown }>(thing: T): T {
    this.#extra.push(thing)
    return thing
  }

  async startWorkers(): Promise<void> {
    const { workers = 3, skews = [] } = this.#options
    await Promise.all(Array.from({ length: workers }, (_, i) => this.join(skews[i] ?? 0)))
  }

  /** Adds a worker, and waits until it is ready. */
  async join(skew = 0, lock: Partial<WorkerConfig['lock']> = {}): Promise<Worker> {
    const name = `w${++this.#names}`
    const { design = 'escapement', proxied = false, jobs = defaultJobs } = this.#options
    const clients = this.clients ?? (await this.#clients(name, proxied))
    const config: WorkerConfig = {
      name,
      log: join(this.#dir, `${name}.log`),
      skew,
      design,
      clients,
      lock: { lease: 3000, scan: 1000, ...this.#options.lock, ...lock },
      jobs,
    }
    const entry = fileURLToPath(new URL('./worker.js', import.meta.url))
    const child = spawn(process.execPath, [entry], {
      env: { ...process.env, NODE_ENV: 'production', CHAOS_WORKER: JSON.stringify(config) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    reap(child)
    const worker = new Worker(name, child)
    this.workers.push(worker)
    child.once('exit', (code, signal) => {
      worker.exit = String(signal ?? code)
      this.#note(`exit ${worker.exit}`, name)
    })
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve())
      child.once('exit', () => reject(new Error(`${name} did not come up`)))
    })
    return worker
  }

  async #clients(name: string, proxied: boolean): Promise<ClientConfig[]> {
    return Promise.all(
      this.nodes.map(async ({ port, url }, i) => {
        if (!proxied) return { url }
        const proxy = await Link.start(port)
        this.#proxies.set(`${name}/${i}`, proxy)
        return { url: `redis://127.0.0.1:${proxy.port}` }
      }),
    )
  }

  worker(name: string): Worker {
    return this.workers.find((worker) => worker.name === name) as Worker
  }

  /** The proxies of a worker to all nodes. */
  links(worker: string): Link[] {
    return [...this.#proxies].flatMap(([key, proxy]) => (key.startsWith(`${worker}/`) ? [proxy] : []))
  }

  tell(worker: string, command: Command): void {
    this.#note(command.do, worker)
    this.worker(worker).process.send(command)
  }

  kill(name: string): void {
    const worker = this.worker(name)
    worker.expected = true
    this.#note('kill', name)
    worker.process.kill('SIGKILL')
  }

  stall(name: string): void {
    this.#note('stall', name)
    this.worker(name).process.kill('SIGSTOP')
  }

  resume(name: string): void {
    this.#note('resume', name)
    this.worker(name).process.kill('SIGCONT')
  }

  #note(what: string, worker?: string): void {
    this.deeds.push({ t: Date.now(), what, ...(worker && { worker }) })
  }

  note(what: string): void {
    this.#note(what)
  }

  lines(): Line[] {
    const logs = readdirSync(this.#dir).filter((file) => file.endsWith('.log'))
    const lines = logs.flatMap((file) =>
      readFileSync(join(this.#dir, file), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Line),
    )
    return lines.sort((a, b) => a.t - b.t)
  }

  /** Waits for a line; undefined if it does not come in time. */
  async until(ms: number, found: (line: Line) => boolean): Promise<Line | undefined> {
    for (const end = Date.now() + ms; Date.now() < end; ) {
      const line = this.lines().find(found)
      if (line) return line
      await sleep(25)
    }
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(
      this.workers.map(async ({ name, process: child, alive }) => {
        if (!alive) return
        this.worker(name).expected = true
        const gone = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGCONT')
        this.tell(name, { do: 'stop' })
        if (await Promise.race([gone.then(() => true), sleep(9000).then(() => false)])) return
        this.deeds.push({ t: Date.now(), what: 'did not stop', worker: name })
        child.kill('SIGKILL')
        await gone
      }),
    )
  }

  async destroy(): Promise<void> {
    for (const { process: child, alive } of this.workers) if (alive) child.kill('SIGKILL')
    for (const proxy of this.#proxies.values()) proxy.stop()
    await Promise.all([...this.nodes, ...this.#extra].map((thing) => thing.stop()))
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

export const defaultJobs: readonly JobConfig[] = [1, 2, 3, 4].map((n) => ({
  name: `quick-${n}`,
  seconds: 1,
  ms: 0,
}))
