import { randomUUID } from 'node:crypto'
import { type Clock, type Host, Leases, type Plugin, systemClock } from '@escapement/core'
import { Client } from './client.ts'
import { PostgresLock } from './lock.ts'
import { type PostgresOptions, parseOptions } from './options.ts'
import { Pauses } from './pauses.ts'
import { Recover } from './recover.ts'
import { migrate } from './schema.ts'
import { PostgresStore } from './store.ts'
import { Writer } from './writer.ts'

/** Between two removals of what is too old, in ms. */
const PRUNE = 60_000

/**
 * Keeps jobs, runs and claims of a fleet in PostgreSQL: each tick runs on one instance, history and pauses are
 * shared, missed ticks are caught up once, runs of an instance that died are found. Needs PostgreSQL 12 or later;
 * works behind PgBouncer in transaction mode.
 *
 * `start()` of the scheduler makes the tables, and rejects when it cannot.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * const scheduler = createScheduler({ plugins: [postgres({ pool: new pg.Pool() })] })
 */
export function postgres(options: PostgresOptions): Plugin {
  const settings = parseOptions(options)
  const client = new Client(settings.pool, settings.schema, settings.timeout)
  // History may take its time, claims may not.
  const patient = new Client(settings.pool, settings.schema, 30_000)
  const writer = new Writer(patient)
  const pauses = new Pauses(client, patient)
  let host: Host | undefined
  let clock: Clock = systemClock
  let owner: string | undefined
  let draining = false
  let recover: Recover | undefined
  let pruned = -Infinity

  const leases = new Leases({
    clock: bound(() => clock),
    lease: settings.stale,
    beat: settings.heartbeat,
    renew: async (anew) => {
      if (!anew && owner !== undefined) {
        const sql = `UPDATE $.instances SET until = now() + $2 * interval '1 ms' WHERE owner = $1 AND until > now() RETURNING owner`
        return (await client.query(sql, [owner, settings.stale])).length > 0
      }
      const next = randomUUID()
      const before = owner
      owner = undefined
      const sql = `
        WITH gone AS (DELETE FROM $.instances WHERE owner = $4)
        INSERT INTO $.instances (owner, name, until) VALUES ($1, $2, now() + $3 * interval '1 ms')`
      await client.query(sql, [next, host?.instance ?? '', settings.stale, before ?? ''])
      owner = next
      return true
    },
    onBeat: () => void beat(),
  })
  const report = (error: unknown) => host?.emit('error', error, { source: 'postgres' })
  const store = new PostgresStore(patient, writer, pauses, settings, () => owner)
  const lock = new PostgresLock({
    client,
    leases,
    clock: () => clock,
    instance: () => host?.instance ?? '',
    owner: () => owner,
    draining: () => draining,
    onDead: async () => recover?.look({ rerun: false }).catch(report),
  })

  async function beat(): Promise<void> {
    try {
      await lock.settle()
      // What is found while stopping is left to others.
      if (!draining) await recover?.look()
      if (host && recover) await pauses.look(host)
      if (clock.monotonic() - pruned < PRUNE) return
      pruned = clock.monotonic()
      const longest = (host?.jobs() ?? []).reduce((most, { policies }) => Math.max(most, policies.catchUp), 0)
      await store.prune(clock.now(), longest)
    } catch (error) {
      report(error)
    }
  }

  return {
    name: 'postgres',
    store,
    ...(settings.lock && { lock }),
    attach(given) {
      host = given
      clock = given.clock
      writer.clock = clock
      writer.onError = report
      writer.onRefused = ({ key, state }) =>
        given.log.warn({ tick: key, outcome: state }, `${key} had been abandoned: its end was not recorded`)
      // What died while no instance was there is looked for at once.
      given.on('start', () => void beat())
      given.on('settled', (run) => recover?.settled(run))
      given.on('waiting-retry', (run) => store.retrying(run))
      given.on('drain', () => {
        draining = true
      })
    },
    async start(given) {
      draining = false
      await migrate(new Client(settings.pool, settings.schema, 60_000), settings.schema)
      recover = new Recover({
        client,
        settings,
        host: given,
        lock: settings.lock ? lock : undefined,
        owner: () => owner,
      })
      await leases.start()
    },
    async stop() {
      leases.stop()
      recover = undefined
      const gone = owner
      owner = undefined
      await lock.settle()
      await writer.flush()
      // What is left of ours may be taken over at once.
      if (gone !== undefined) await client.query('DELETE FROM $.instances WHERE owner = $1', [gone])
    },
  }
}

/** A clock that is known later. */
function bound(clock: () => Clock): Clock {
  return {
    now: () => clock().now(),
    monotonic: () => clock().monotonic(),
    setTimeout: (callback, ms) => clock().setTimeout(callback, ms),
    clearTimeout: (timer) => clock().clearTimeout(timer),
    setImmediate: (callback) => clock().setImmediate(callback),
  }
}
