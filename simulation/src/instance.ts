import type { Run, Scheduler } from '@escapement/core'
import type { Fact, History } from './history.ts'
import type { Code } from './load.ts'
import type { Machine } from './machine.ts'
import type { Access, Share, Shared } from './shared.ts'
import type { World } from './world.ts'

/** A job of the fleet under test. */
export interface SimulatedJob {
  readonly name: string
  /** Seconds between its ticks. */
  readonly seconds: number
  /** How long a run takes, in ms. */
  readonly takes: number
  readonly overlap: 'skip' | 'queue' | 'allow'
  readonly onAbandoned: 'record' | 'rerun'
  /** How its handler learns that it may not go on: it asks before each step, or it only hears the signal. */
  readonly heeds: 'assertHeld' | 'signal'
}

export interface FleetOptions {
  readonly jobs: readonly SimulatedJob[]
  readonly share: Share
  /** The clock that says when a tick may start: that of the servers, or that of each instance. */
  readonly clock: 'servers' | 'own'
}

interface InstanceParts {
  readonly code: Code
  readonly world: World
  readonly machine: Machine
  readonly shared: Shared
  readonly jobs: readonly SimulatedJob[]
  readonly history: History
}

type Part<F> = F extends Fact ? Omit<F, 't' | 'who'> : never

/** One process of the fleet: the real scheduler and lock, on a simulated machine. */
export class Instance {
  readonly machine: Machine
  readonly #access: Access
  readonly #scheduler: Scheduler
  readonly #world: World
  readonly #history: History
  readonly #jobs: ReadonlySet<string>
  #ready = false
  stopping = false
  stopped = false

  constructor({ code, world, machine, shared, jobs, history }: InstanceParts) {
    this.machine = machine
    this.#world = world
    this.#history = history
    this.#access = shared.join(machine)
    this.#scheduler = code.createScheduler({
      instance: machine.name,
      clock: machine.clock,
      plugins: [this.#access.plugin],
      timezone: 'UTC',
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      drain: { grace: 5000, abort: 1000 },
    })
    this.#jobs = new Set(jobs.map(({ name }) => name))
    for (const job of jobs) this.#add(job)
    this.#listen()
  }

  get name(): string {
    return this.machine.name
  }

  /** Whether it is there and takes orders. */
  get serves(): boolean {
    return this.#ready && this.machine.alive && !this.stopping && !this.machine.stalled
  }

  has(job: string): boolean {
    return this.#jobs.has(job)
  }

  pause(name: string): void {
    this.note({ what: 'pause', job: name })
    this.machine.run(() => this.#scheduler.pause(name, { by: 'somebody' }))
  }

  /** Whether it was paused here. */
  resume(name: string): boolean {
    if (!this.#scheduler.get(name).paused) return false
    this.note({ what: 'resume', job: name })
    this.machine.run(() => this.#scheduler.resume(name))
    return true
  }

  note(fact: Part<Fact>): void {
    // What a process that died in the middle of something does afterwards, nobody sees.
    if (!this.machine.alive) return
    this.#history.push({ t: this.#world.now, who: this.name, ...fact } as Fact)
  }

  /** @param failed Called when it cannot start: the process is over. */
  start(failed: () => void): void {
    this.note({ what: 'life', event: 'boot' })
    this.machine.run(() => {
      this.#access.connect?.()
      this.#scheduler.start().then(
        () => {
          this.#ready = true
          this.note({ what: 'life', event: 'ready' })
        },
        (error) => {
          this.note({ what: 'life', event: 'cannot-start', why: plain(String(error)) })
          if (this.stopping) return
          this.kill()
          failed()
        },
      )
    })
  }

  stop(): void {
    if (this.stopping || !this.machine.alive) return
    this.stopping = true
    this.note({ what: 'life', event: 'stopping' })
    this.machine.run(() => {
      void this.#scheduler.stop().then(() => {
        this.stopped = true
        this.note({ what: 'life', event: 'stopped' })
        this.#access.disconnect?.()
      })
    })
  }

  kill(): void {
    if (!this.machine.alive || this.stopped) return
    this.note({ what: 'life', event: 'kill' })
    this.machine.kill()
    this.#access.abandon()
  }

  #add({ name, seconds, takes, overlap, onAbandoned, heeds }: SimulatedJob): void {
    const expression = seconds === 1 ? '* * * * * *' : `*/${seconds} * * * * *`
    this.#scheduler.job(name, expression, { overlap, onAbandoned }, (run) => this.#work(run, takes, heeds))
  }

  /** Works in steps, and before each looks whether it still may. */
  async #work(run: Run, takes: number, heeds: SimulatedJob['heeds']): Promise<void> {
    const { clock } = this.machine
    const about = { job: run.job.name, tick: idOf(run), start: run.restarts + 1, fence: run.fence }
    this.note({
      what: 'start',
      ...about,
      at: run.tick.scheduledAt.getTime(),
      cause: run.cause,
      clock: clock.now(),
    })
    const end = clock.monotonic() + takes
    while (clock.monotonic() < end) {
      await new Promise<void>(
        (resolve) => void clock.setTimeout(resolve, Math.min(100, end - clock.monotonic())),
      )
      if (heeds === 'assertHeld') run.assertHeld()
      else run.signal.throwIfAborted()
      this.note({ what: 'work', ...about })
    }
    this.note({ what: 'finish', ...about })
  }

  #listen(): void {
    const scheduler = this.#scheduler
    scheduler.on('settled', (run) => {
      if (run.reason === 'claimed-elsewhere') return
      const { error, until, outcome, reason, restarts, job, tick } = run
      const start = restarts + 1
      this.note({
        what: 'settled',
        job: job.name,
        tick: idOf(run),
        at: tick.scheduledAt.getTime(),
        start,
        outcome: outcome as string,
        reason,
        until: until?.getTime(),
        error: error instanceof Error ? plain(error.message) : undefined,
      })
      if (outcome === 'abandoned')
        this.note({ what: 'lost', job: job.name, tick: idOf(run), by: run.instance, start })
    })
    scheduler.on('tick-lost', ({ job, tick, by }) => this.note({ what: 'lost', job, tick, by }))
    scheduler.on('fenced', ({ job, tick, by }) => this.note({ what: 'fenced', job, tick, by }))
    // What an instance says of a database that is away is no fault of the code.
    const { name } = this.#access.plugin
    scheduler.on('error', (error, { source }) => {
      // A fault of the database that is reported as one of the plugin, the store or the fleet is none of the scheduler.
      if (source === name || source === `${name}.stop` || source === 'fleet' || source.startsWith('store'))
        return
      this.note({ what: 'crash', text: `${source}: ${String(error)}` })
    })
  }
}

function idOf(run: Run): string {
  return `${run.job.name}@${run.tick.scheduledAt.toISOString()}`
}

/** The folder of a file is another one each time. */
function plain(text: string): string {
  return text.replace(/\/\S+\//, '')
}
