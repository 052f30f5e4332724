import { EscapementError, show } from '../errors.ts'
import { DEFAULTS } from '../jobs/settings.ts'
import type { Fleet, Host, Lock, Maybe, Plugin, StopInfo, Store } from '../types/index.ts'
import { within } from '../util/time.ts'
import { checkKeys } from '../util/validate.ts'

type Report = (error: unknown, source: string) => void

/**
 * The plugins of one scheduler, and the ports they bring.
 *
 * @throws ERR_ESCAPEMENT_PLUGIN
 */
export class Plugins {
  readonly all: readonly Plugin[]
  readonly lock: Lock | undefined
  readonly store: Store | undefined
  readonly fleet: Fleet | undefined
  readonly #started = new Set<Plugin>()
  /** The methods under way, as they are named in lines. */
  readonly #pending = new Set<string>()

  constructor(given: readonly Plugin[]) {
    if (!Array.isArray(given)) refuse(`plugins must be an array, but is ${show(given)}`)
    const names = new Set<string>()
    for (const plugin of given) {
      if (typeof plugin !== 'object' || typeof plugin?.name !== 'string' || plugin.name === '') {
        refuse(`a plugin is an object with a name, but got ${show(plugin)}: was its factory called?`)
      }
      if (names.has(plugin.name)) refuse(`plugin ${show(plugin.name)} is given twice`)
      names.add(plugin.name)
    }
    this.all = given
    this.lock = this.#port('lock')
    this.store = this.#port('store')
    // A durable store keeps pauses and requests in one place; a lock's port is for where there is none.
    this.fleet = (given.find(({ fleet, store }) => fleet && store) ?? given.find(({ fleet }) => fleet))?.fleet
    for (const plugin of this.all) checkPlugin(plugin)
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

  /** What has been called and has not ended, e.g. `redis-lock.start()`. */
  get pending(): string[] {
    return [...this.#pending]
  }

  /**
   * Starts those that bring a port first, else in the order given. When one fails, those started are stopped again.
   * After an abort of `halt` nothing more is started, and a start that ends late is undone.
   */
  async start(host: Host, halt: AbortSignal, report: Report): Promise<void> {
    const first = this.all.filter((plugin) => plugin.lock || plugin.store)
    try {
      for (const plugin of new Set([...first, ...this.all])) {
        await this.#call(plugin, 'start', () => plugin.start?.(host))
        if (halt.aborted) {
          // It may have been started again meanwhile.
          if (!this.#started.has(plugin)) await this.#stopOne(plugin, { clean: true, deadline: UNDO }, report)
          return
        }
        this.#started.add(plugin)
      }
    } catch (error) {
      if (!halt.aborted) {
        await within(host.clock, this.stop({ clean: true, deadline: UNDO }, report), UNDO)
      }
      throw error
    }
  }

  /** All at once. Faults are reported. */
  async stop(info: StopInfo, report: Report): Promise<void> {
    const stopping = [...this.#started].map((plugin) => this.#stopOne(plugin, info, report))
    this.#started.clear()
    await Promise.all(stopping)
  }

  async #stopOne(plugin: Plugin, info: StopInfo, report: Report): Promise<void> {
    try {
      await this.#call(plugin, 'stop', () => plugin.stop?.(info))
    } catch (error) {
      report(error, `${plugin.name}.stop`)
    }
  }

  async #call(plugin: Plugin, method: 'start' | 'stop', fn: () => Maybe<void>): Promise<void> {
    const name = `${plugin.name}.${method}()`
    this.#pending.add(name)
    try {
      await fn()
    } finally {
      this.#pending.delete(name)
    }
  }
}

/** How long the stop of what was started in vain is waited for, in ms. */
const UNDO = 1_000

const FUNCTIONS = {
  hooks: ['request', 'run', 'attempt'],
  lock: ['claim'],
  store: ['record', 'runs'],
  fleet: ['join', 'members', 'pause', 'resume', 'proposePause', 'send'],
} as const

/** Methods that had another name before 0.2, as they are named in a message. */
const RENAMED: readonly [part: 'lock' | undefined, old: string, name: string][] = [
  [undefined, 'attach', 'setup'],
  ['lock', 'headStart', 'claimDelay'],
]

function checkRenamed(plugin: Plugin): void {
  for (const [part, old, name] of RENAMED) {
    const holder = part ? plugin[part] : plugin
    if (holder && old in holder && !(name in holder))
      refuse(`${[plugin.name, part, old].filter(Boolean).join('.')}() is called ${name}() now`)
  }
}

/** What it brings has the methods that are called. */
function checkPlugin(plugin: Plugin): void {
  const { name } = plugin
  const parts: [string, unknown, boolean][] = (['setup', 'start', 'stop'] as const).map((method) => [
    method,
    plugin[method],
    false,
  ])
  for (const [part, methods] of Object.entries(FUNCTIONS)) {
    const brought = plugin[part as keyof typeof FUNCTIONS] as Record<string, unknown> | undefined
    if (brought === undefined) continue
    if (typeof brought !== 'object' || brought === null)
      refuse(`${name}.${part} must be an object, but is ${show(brought)}`)
    for (const method of methods) parts.push([`${part}.${method}`, brought[method], part !== 'hooks'])
  }
  checkRenamed(plugin)
  for (const [method, fn, needed] of parts) {
    if (typeof fn === 'function' || (fn === undefined && !needed)) continue
    refuse(`${name}.${method} must be a function, but is ${show(fn)}`)
  }
  if (plugin.defaults !== undefined) checkKeys(plugin.defaults, DEFAULTS, `default of the plugin ${name}`)
}

function refuse(message: string): never {
  throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', message)
}
