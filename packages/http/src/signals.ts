import { constants } from 'node:os'
import type { Binding } from './binding.ts'
import type { SignalSettings } from './options.ts'
import { after } from './timers.ts'

/** A signal that comes again so soon is the same one: npm and terminals both pass Ctrl-C on. In ms. */
const ECHO = 500
/** How long others who listen to the signal have to end the process, in ms. */
const OTHERS = 5_000

/** Shuts all schedulers of the process down on a signal, then lets the signal do what it does. */
export class Signals {
  readonly #bindings = new Map<Binding, SignalSettings>()
  readonly #handled = new Set<NodeJS.Signals>()
  #since: number | undefined

  add(binding: Binding, settings: SignalSettings): void {
    this.#bindings.set(binding, settings)
    for (const signal of settings.on) {
      if (this.#handled.has(signal)) continue
      this.#handled.add(signal)
      process.on(signal, this.#receive)
    }
  }

  delete(binding: Binding): void {
    if (this.#bindings.delete(binding) && this.#bindings.size === 0 && this.#since === undefined)
      this.#remove()
  }

  #receive = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (this.#since === undefined) {
      this.#since = now
      const all = [...this.#bindings].map(([binding, settings]) => binding.shutdown(settings))
      void Promise.allSettled(all).then(() => this.#end(signal, this.#exitCode()))
    } else if (now - this.#since > ECHO) this.#end(signal)
  }

  #end(signal: NodeJS.Signals, exitCode?: number): void {
    this.#remove()
    const code = 128 + constants.signals[signal]
    if (exitCode !== undefined) process.exit(exitCode)
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
