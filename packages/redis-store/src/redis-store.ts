import { EscapementError, type Host, type Plugin } from '@escapement/core'
import { SharedFleet } from '@escapement/redis-fleet'
import { Keeper } from './keeper.ts'
import { parseOptions, type RedisStoreOptions } from './options.ts'
import { makeStore, type RedisStore } from './store.ts'
import { Writer } from './writer.ts'

const TAKEN = 'each scheduler needs a redisStore() of its own: this one has a scheduler already'
/** Of a stop, for closing, in ms. */
const CLOSE_MS = 200

/**
 * Keeps history, counters, watermarks, requests, incidents and the audit in one Redis, within a bound of its own: for fleets
 * that have only Redis, beside `redisLock()`.
 *
 * @param options `redis`, and see {@link RedisStoreOptions}.
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * const redis = 'redis://localhost:6379'
 * const scheduler = createScheduler({ plugins: [redisLock({ clients: [redis] }), redisStore({ redis })] })
 */
export function redisStore(options: RedisStoreOptions): Plugin {
  const settings = parseOptions(options)
  const writer = new Writer({ redis: settings.redis, key: `{${settings.prefix}}:store:meta` })
  let host: Host | undefined
  const keeper = new Keeper(writer, settings)
  const fleet = fleetOver(writer, settings.prefix, keeper)
  const store = makeStore({
    writer,
    settings,
    instance: () => host?.instance ?? '',
    owner: () => fleet.id,
    trouble: () => keeper.trouble,
    onRefused({ key, outcome }) {
      host?.log.warn({ tick: key, outcome }, `${key} had been abandoned: its end was not recorded`)
    },
    onGone: (count) => keeper.evicted(count),
  })
  return pluginOf({
    writer,
    store,
    fleet,
    keeper,
    attach: (given) => {
      if (host) throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', TAKEN)
      host = given
    },
  })
}

interface PluginParts {
  readonly writer: Writer
  readonly store: RedisStore
  readonly fleet: SharedFleet
  readonly keeper: Keeper
  /** A scheduler takes it. */
  attach(host: Host): void
}

function pluginOf({ writer, store, fleet, keeper, attach }: PluginParts): Plugin {
  let log: Host['log'] | undefined
  return {
    name: 'redis-store',
    store,
    fleet,
    hooks: {
      run: async (run, next) => {
        if (run.requested) await store.took(run)
        await next()
      },
    },
    setup(given) {
      attach(given)
      log = given.log
      writer.clock = given.clock
      keeper.attach(given)
      given.on('waiting-retry', (run) => store.retrying(run))
    },
    async start() {
      await writer.open()
      await keeper.start()
    },
    async stop({ deadline }) {
      keeper.stop()
      await fleet.leave()
      const left = await writer.close(Math.max(0, deadline - CLOSE_MS))
      if (left > 0)
        log?.error({ left }, `redis-store: Redis did not take the last ${left} writes before the stop`)
    },
  }
}

/** Pauses, commands and members over the same Redis. */
function fleetOver(writer: Writer, prefix: string, keeper: Keeper): SharedFleet {
  const key = `{${prefix}}:fleet:meta`
  return new SharedFleet({
    masters: () => [{ ask: (script, args) => writer.execute(script, key, args) }],
    clock: () => writer.clock,
    onFault: (error) => keeper.fleetFails(error),
    onRead: () => keeper.fleetWorks(),
  })
}
