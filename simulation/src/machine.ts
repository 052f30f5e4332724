import type { Clock, Timer } from '@escapement/core'
import type { Random } from './random.ts'
import type { Event, World } from './world.ts'

/** A machine with one process: its clocks, and whether it gets the processor. */
export class Machine {
  /** The one whose process is running: what happens until the world goes on belongs to it. */
  static running: Machine | undefined
  /** Whether what is running is none of the world, so that it may use real time and chance: a real database, the code that makes the world. */
  static outside = false
  readonly name: string
  random: Random
  readonly clock: Clock
  alive = true
  /** What its wall clock is ahead of true time, in ms. */
  skew = 0
  /** What its clocks gain in a ms. */
  readonly drift: number
  readonly #world: World
  /** How long it has slept: its monotonic clock stood still meanwhile, as Linux's does. */
  #slept = 0
  /** Until when it sleeps, in true time. */
  #asleep = 0
  /** Until when it gets no processor, in true time. */
  #stalled = 0
  /** What came due meanwhile: timers before what came over the network, as in Node's loop. */
  #held: { timer: boolean; run: () => void }[] = []

  constructor(world: World, name: string, options: { skew?: number; drift?: number } = {}) {
    this.#world = world
    this.name = name
    this.skew = options.skew ?? 0
    this.drift = options.drift ?? 0
    this.random = world.random.fork(`machine ${name}`)
    this.clock = {
      now: () => Math.floor(world.wall + this.skew + world.now * this.drift),
      monotonic: () => this.#monotonic(),
      setTimeout: (callback, ms) => this.#timer(callback, Number.isFinite(ms) ? Math.max(1, ms) : 1),
      clearTimeout: (timer) => Machine.clear(timer as Timer | undefined),
      setImmediate: (callback) => this.soon(callback),
    }
  }

  /** A timer belongs to the machine that made it, whoever clears it. */
  static clear(timer: Timer | undefined): void {
    if (timer) (timer as Timer & { event: Event }).event.cancelled = true
  }

  get stalled(): boolean {
    return this.#world.now < this.#stalled
  }

  /** After what is already due. */
  soon(callback: () => void): void {
    this.immediate(callback)
  }

  immediate(callback: () => void): { over: boolean } {
    const handle = { over: false }
    this.#world.after(0.001, () => this.run(() => !handle.over && callback()))
    return handle
  }

  /** As `setInterval()`: the next one is due after this one has run. */
  every(callback: () => void, ms: number): Timer {
    const handle = this.clock.setTimeout(() => {}, ms) as Timer & { event: Event }
    const again = () => {
      Machine.clear(handle)
      const next = this.clock.setTimeout(() => {
        again()
        callback()
      }, ms) as Timer & { event: Event }
      handle.event = next.event
    }
    again()
    return handle
  }

  /** As `crypto.randomUUID()` has it. */
  uuid(): `${string}-${string}-${string}-${string}-${string}` {
    const digits = (count: number) =>
      Array.from({ length: count }, () => this.random.integer(0, 15).toString(16)).join('')
    return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`
  }

  #monotonic(): number {
    return (this.#world.now - this.#slept) * (1 + this.drift) + 1
  }

  #timer(callback: () => void, ms: number): Timer {
    const due = this.#monotonic() + ms
    const timer = { event: undefined as Event | undefined, ref() {}, unref() {} }
    const arm = (left: number) => {
      timer.event = this.#world.after(left / (1 + this.drift), () =>
        this.run(() => {
          if (timer.event?.cancelled) return
          // It slept meanwhile.
          const rest = due - this.#monotonic()
          if (rest > 0.001) arm(rest)
          else callback()
        }, true),
      )
    }
    arm(ms)
    return timer as Timer
  }

  /** Runs something of this process, as soon as it gets the processor. A process that is gone runs nothing. */
  run(callback: () => void, timer = false): void {
    if (!this.alive) return
    if (this.stalled) {
      this.#held.push({ timer, run: callback })
      return
    }
    Machine.running = this
    callback()
  }

  /** The process gets no processor for so long: SIGSTOP, a blocked loop, a suspended machine. */
  stall(ms: number): void {
    const world = this.#world
    const idle = !this.stalled
    this.#stalled = Math.max(this.#stalled, world.now + ms)
    if (idle) this.#wake()
  }

  /** Somebody sets its wall clock. Not while it sleeps: from within, that cannot be told from no sleep at all. */
  setClock(by: number): void {
    if (this.#world.now >= this.#asleep) this.skew += by
  }

  /** The machine is suspended: its wall clock goes on, its monotonic clock does not. */
  sleep(ms: number): void {
    this.#asleep = Math.max(this.#asleep, this.#world.now + ms)
    this.stall(ms)
    this.#world.after(ms, () => {
      this.#slept += ms
    })
  }

  #wake(): void {
    this.#world.at(this.#stalled, () => {
      if (this.stalled) return this.#wake()
      const held = this.#held
      this.#held = []
      const ordered = [...held.filter(({ timer }) => timer), ...held.filter(({ timer }) => !timer)]
      // One turn each, as promises settle between two callbacks.
      for (const { run } of ordered) this.#world.after(0, () => this.run(run))
    })
  }

  /** The process has loaded its code. What that drew depends on what other processes had cached. */
  loaded(): void {
    this.random = this.#world.random.fork(`process ${this.name}`)
  }

  kill(): void {
    this.alive = false
    this.#held = []
  }
}
