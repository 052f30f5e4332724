import type { Host, Plugin } from '@escapement/core'
import { describe } from '@escapement/core/plugin'
import { refused, SqlFleet } from '@escapement/sql-fleet'
import { PostgresBackend } from './backend.ts'
import { Client, isPool, ownPool, type PoolLike } from './client.ts'
import { type PostgresOptions, parseOptions } from './options.ts'
import { migrate } from './schema.ts'
import { sqlOf } from './sql.ts'
import { PostgresStore } from './store.ts'
import { Writer } from './writer.ts'

/** History may take its time, claims may not. */
const HISTORY_TIMEOUT_MS = 30_000
const MIGRATION_TIMEOUT_MS = 60_000

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
  const { pool, schema, timeout } = settings
  let own: ReturnType<typeof ownPool>
  let client = new Client(pool, schema, timeout)
  let host: Host | undefined
  const warnOfClosed = once(() => host?.log.warn({}, CLOSED))
  const readable = eitherPool(pool, () => own, warnOfClosed)
  const history = new Client(readable, schema, HISTORY_TIMEOUT_MS)
  const writer = new Writer(history)
  const backend = new PostgresBackend(() => client, settings.lease)
  const store = new PostgresStore({
    client: history,
    writer,
    sql: sqlOf(() => history),
    settings,
    instance: () => host?.instance ?? '',
    owner: () => fleet.owner,
  })
  const close = () => {
    const closing = own
    own = undefined
    client = new Client(pool, schema, timeout)
    return closing?.end()
  }
  const fleet: SqlFleet = new SqlFleet({
    backend,
    settings,
    store,
    attached(given) {
      host = given
      connect(given, writer, store)
    },
    async open(given) {
      hear(pool, given)
      own ??= ownPool(pool, timeout)
      client = new Client(own ?? pool, schema, timeout)
      await migrate(new Client(own ?? pool, schema, MIGRATION_TIMEOUT_MS), schema)
    },
    sql: sqlOf(() => client),
    sqlNow: '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
    newest: () => store.newest(),
    prune: (now, catchUpWindow) => store.prune(now, catchUpWindow),
    close: () => writer.flush().finally(close),
  })
  return fleet.plugin()
}

function connect(host: Host, writer: Writer, store: PostgresStore): void {
  writer.clock = host.clock
  writer.onError = (error) => host.emit('error', error, { source: 'postgres' })
  writer.onRefused = (row) => host.log.warn(...refused(row))
  host.on('waiting-retry', (run) => store.retrying(run))
}

/** The pool, or the plugin's own one when an app has ended its pool before the scheduler has stopped. */
function eitherPool(pool: PoolLike, own: () => PoolLike | undefined, onClosed: () => void): PoolLike {
  return {
    query(sql, values) {
      const other = own()
      if (!other || !isPool(pool) || !pool.ending) return patient(pool).query(sql, values)
      onClosed()
      return other.query(sql, values)
    },
  }
}

/** The pool; a connection of it that has gone silent is given up after a time, and the pool makes a new one. */
function patient(pool: PoolLike): PoolLike {
  if (!isPool(pool)) return pool
  const query_timeout = pool.options.query_timeout || HISTORY_TIMEOUT_MS
  return { query: (text, values) => pool.query({ text, values, query_timeout }) }
}

const CLOSED =
  'postgres: the pool was closed while the scheduler uses it: close it after scheduler.stop(). History is written by own connections meanwhile'

function once(tell: () => void): () => void {
  let told = false
  return () => {
    if (!told) tell()
    told = true
  }
}

/** Connections that break are told once in this time: a restart breaks all of them. */
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
