import { constants } from 'node:os'
import type { Scheduler } from '@escapement/core'
import type { SignalSettings } from './options.ts'
import { after, atMost } from './timers.ts'

/** A signal that comes again so soon is the same one: npm and terminals both pass Ctrl-C on. In ms. */
const ECHO = 500
/** How long others who listen to the signal have to end the process, in ms. */
const OTHERS = 5_000

/** A scheduler and its servers. */
interface Served {
  readonly scheduler: Scheduler
  shutdown(settings: SignalSettings): Promise<void>
  /** The jobs with runs under way. */
  interrupted(): string[]
}

/** Shuts all schedulers of the process down on a signal, then lets the signal do what it does. */
export class Signals {
  readonly #bindings = new Map<Served, SignalSettings>()
  readonly #handled = new Set<NodeJS.Signals>()
  #since: number | undefined

  add(binding: Served, settings: SignalSettings): void {
    this.#bindings.set(binding, settings)
    for (const signal of settings.on) {
      if (this.#handled.has(signal)) continue
      this.#handled.add(signal)
      process.on(signal, this.#receive)
    }
  }

  delete(binding: Served): void {
    if (this.#bindings.delete(binding) && this.#bindings.size === 0 && this.#since === undefined)
      this.#remove()
  }

  #receive = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (this.#since === undefined) {
      this.#since = now
      const all = [...this.#bindings]
      void Promise.allSettled(all.map(([binding, settings]) => binding.shutdown(settings)))
        .then(() => Promise.allSettled(all.map(([binding, settings]) => cleanUp(binding, settings))))
        .then(() => this.#end(signal, this.#exitCode()))
    } else if (now - this.#since > ECHO) {
      for (const binding of this.#bindings.keys()) tellCut(binding, signal)
      this.#endNow(signal)
    }
  }

  /** All is drained and cleaned up. */
  #end(signal: NodeJS.Signals, exitCode?: number): void {
    this.#remove()
    if (exitCode !== undefined) process.exit(exitCode)
    if (othersListen(signal)) this.#endAfterOthers(signal)
    else this.#endNow(signal)
  }

  /** Others had the signal when we had it, and may be cleaning up. They do not get it twice. */
  #endAfterOthers(signal: NodeJS.Signals): void {
    const code = 128 + constants.signals[signal]
    process.once('beforeExit', () => process.exit(code))
    after(OTHERS, () => process.exit(code))
  }

  #endNow(signal: NodeJS.Signals): void {
    this.#remove()
    const code = 128 + constants.signals[signal]
    // To process 1 of a container the kernel does not deliver a signal without a handler.
    if (process.pid === 1) process.exit(code)
    process.kill(process.pid, signal)
    after(OTHERS, () => process.exit(code))
  }

  #exitCode(): number | undefined {
    return [...this.#bindings.values()].find((settings) => settings.exitCode !== undefined)?.exitCode
  }

  #remove(): void {
    for (const signal of this.#handled) process.off(signal, this.#receive)
    this.#handled.clear()
  }
}

/** The last word: Node reports no end by a signal. */
function tellCut(binding: Served, signal: NodeJS.Signals): void {
  const jobs = binding.interrupted()
  if (jobs.length === 0) return
  const text = `the process ends with runs under way: ${signal} came a second time`
  binding.scheduler.log.error({ jobs }, text)
}

/** The app's own cleanup, in bounded time. */
async function cleanUp({ scheduler }: Served, { cleanup, cleanupTimeout }: SignalSettings): Promise<void> {
  if (!cleanup) return
  let over = false
  const cleaned = Promise.resolve()
    .then(cleanup)
    .catch((error: unknown) => scheduler.log.error({ error }, 'signals.cleanup failed'))
    .finally(() => {
      over = true
    })
  await atMost(cleanupTimeout, cleaned)
  if (!over)
    scheduler.log.error({ ms: cleanupTimeout }, 'signals.cleanup has not ended in time: the process ends')
}

/** The package signal-exit listens to all signals, and only to raise them again when it is alone. */
const SIGNAL_EXIT = Symbol.for('signal-exit emitter')

function othersListen(signal: NodeJS.Signals): boolean {
  const passive = SIGNAL_EXIT in globalThis || '__signal_exit_emitter__' in process ? 1 : 0
  return process.listenerCount(signal) > passive
}
