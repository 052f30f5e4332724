import { randomUUID } from 'node:crypto'
import { EscapementError, type Host, type Plugin } from '@escapement/core'
import { Keeper } from './keeper.ts'
import { parseOptions, type RedisStoreOptions } from './options.ts'
import { makeStore } from './store.ts'
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
  const owner = randomUUID()
  let host: Host | undefined
  const keeper = new Keeper(writer, settings)
  const store = makeStore({
    writer,
    settings,
    instance: () => host?.instance ?? '',
    owner: () => owner,
    trouble: () => keeper.trouble,
    onRefused({ key, outcome }) {
      host?.log.warn({ tick: key, outcome }, `${key} had been abandoned: its end was not recorded`)
    },
    onGone: (count) => keeper.evicted(count),
  })
  return {
    name: 'redis-store',
    store,
    setup(given) {
      if (host) throw new EscapementError('ERR_ESCAPEMENT_PLUGIN', TAKEN)
      host = given
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
      const left = await writer.close(Math.max(0, deadline - CLOSE_MS))
      if (left > 0)
        host?.log.error({ left }, `redis-store: Redis did not take the last ${left} writes before the stop`)
    },
  }
}
