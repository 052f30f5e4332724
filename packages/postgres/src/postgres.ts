import type { Host, Plugin } from '@escapement/core'
import { describe } from '@escapement/core/plugin'
import { refused, SqlFleet } from '@escapement/sql-fleet'
import { PostgresBackend } from './backend.ts'
import { isPool, type PoolLike } from './client.ts'
import { type PostgresOptions, parseOptions } from './options.ts'
import { Pools } from './pools.ts'
import { sqlOf } from './sql.ts'
import { PostgresStore } from './store.ts'
import { Writer } from './writer.ts'

/**
 * Keeps jobs, runs and claims of a fleet in PostgreSQL: each tick runs on one instance, history and pauses are
 * shared, missed ticks are caught up once, runs of an instance that died are found. Needs PostgreSQL 12 or later;
 * works behind PgBouncer in transaction mode.
 *
 * `start()` of the scheduler makes the tables, and rejects when it cannot. Claims and heartbeats have two connections of
 * their own, made with the options of the pool; history uses the pool.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * const scheduler = createScheduler({ plugins: [postgres({ pool: new pg.Pool() })] })
 */
export function postgres(options: PostgresOptions): Plugin {
  const settings = parseOptions(options)
  let host: Host | undefined
  const pools = new Pools(settings, () => host?.log.warn({}, CLOSED))
  const { history } = pools
  const writer = new Writer(history)
  const store = new PostgresStore({
    client: history,
    writer,
    sql: sqlOf(() => history),
    settings,
    instance: () => host?.instance ?? '',
    owner: () => fleet.owner,
    onFault: (error) => fleet.fails(error),
  })
  const fleet: SqlFleet = new SqlFleet({
    backend: new PostgresBackend(() => pools.client, settings.lease),
    settings,
    store,
    attached(given) {
      host = given
      connect(given, writer, store)
    },
    open(given) {
      hear(settings.pool, given)
      return pools.open()
    },
    sql: sqlOf(() => history),
    sqlNow: '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
    flush: () => writer.flush(),
    close: () => writer.flush().finally(() => pools.close()),
  })
  return fleet.plugin()
}

function connect(host: Host, writer: Writer, store: PostgresStore): void {
  writer.clock = host.clock
  writer.onError = (error) => host.emit('error', error, { source: 'postgres' })
  writer.onRefused = (row) => host.log.warn(...refused(row))
  host.on('waiting-retry', (run) => store.retrying(run))
}

const CLOSED =
  'postgres: the pool was closed while the scheduler uses it: close it after scheduler.stop(). History is written by own connections meanwhile'

/** Connections that break are reported once in this time: a restart breaks all of them. */
const QUIET_MS = 60_000
const heard = new WeakSet<PoolLike>()

/** A pool without this listener ends the process when PostgreSQL restarts. */
function hear(pool: PoolLike, { log, clock }: Host): void {
  if (!isPool(pool) || heard.has(pool)) return
  heard.add(pool)
  let toldAt = -Infinity
  pool.on('error', (error) => {
    if (clock.monotonic() - toldAt < QUIET_MS) return
    toldAt = clock.monotonic()
    log.warn(
      {},
      `postgres: a connection of the pool broke: ${describe(error).message}. The pool makes a new one`,
    )
  })
}
