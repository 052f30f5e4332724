import { EscapementError, show } from './errors.ts'
import type { Host, Lock, Plugin, Store } from './interfaces.ts'

/**
 * The plugins of one scheduler, and the ports they bring.
 *
 * @throws ERR_ESCAPEMENT_PLUGIN
 */
export class Plugins {
  readonly all: readonly Plugin[]
  readonly lock: Lock | undefined
  readonly store: Store | undefined
  #started: Plugin[] = []

  constructor(given: readonly Plugin[]) {
    if (!Array.isArray(given)) refuse(`plugins must be an array, but is ${show(given)}`)
    const names = new Set<string>()
    for (const plugin of given) {
      if (typeof plugin?.name !== 'string' || plugin.name === '') {
        refuse(`a plugin is an object with a name, but got ${show(plugin)}: was its factory called?`)
      }
      if (names.has(plugin.name)) refuse(`plugin ${show(plugin.name)} is given twice`)
      names.add(plugin.name)
    }
    this.all = given
    this.lock = this.#port('lock')
    this.store = this.#port('store')
  }

  #port<K extends 'lock' | 'store'>(port: K): Plugin[K] {
    const bringers = this.all.filter((plugin) => plugin[port])
    if (bringers.length > 1) {
      refuse(
        `only one plugin can bring the ${port}, but ${bringers.map(({ name }) => name).join(' and ')} do`,
      )
    }
    return bringers[0]?.[port]
  }

  /** Those that bring a port first, else in the order given. When one fails, those started are stopped again. */
  async start(host: Host): Promise<void> {
    try {
      const first = this.all.filter((plugin) => plugin.lock || plugin.store)
      for (const plugin of new Set([...first, ...this.all])) {
        await plugin.start?.(host)
        this.#started.push(plugin)
      }
    } catch (error) {
      await this.stop({ clean: true }, () => {})
      throw error
    }
  }

  /** All at once. Faults are reported. */
  async stop(info: { clean: boolean }, report: (error: unknown, source: string) => void): Promise<void> {
    const stopping = this.#started.map(async (plugin) => {
      try {
        await plugin.stop?.(info)
      } catch (error) {
        report(error, `${plugin.name}.stop`)
      }
    })
    this.#started = []
    await Promise.all(stopping)
  }
}

function refuse(message: string): never {
  throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message)
}
