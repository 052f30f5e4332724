import { randomUUID } from 'node:crypto'
import { type Clock, type Host, Leases, type Plugin, systemClock } from '@escapement/core'
import { identity } from './identity.ts'
import { SqliteLock } from './lock.ts'
import { open } from './open.ts'
import { parseOptions, type SqliteOptions } from './options.ts'
import { Recover } from './recover.ts'
import { SqliteStore } from './store.ts'
import { Writer } from './writer.ts'

/** Records are written together after this time, in ms. */
const DELAY = 10
/** Between two removals of what is too old, in ms. */
const PRUNE = 60_000

/**
 * Keeps jobs, runs and claims in one file: history, pauses and watermarks survive a restart, missed ticks are
 * caught up, runs of a process that died are found. For the processes of one machine.
 *
 * Opens the file at the first use; `start()` of the scheduler rejects with ERR_ESCAPEMENT_STORE when it cannot.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * const scheduler = createScheduler({ plugins: [sqlite({ file: 'data/jobs.db' })] })
 */
export function sqlite(options: SqliteOptions): Plugin {
  const settings = parseOptions(options)
  const { file, full } = settings
  const reopen = { full, busy: 100 }
  const writer = new Writer(
    (again) => open(file, again ? reopen : { full }),
    full ? 0 : DELAY,
    () => identity(file),
  )
  let host: Host | undefined
  let clock: Clock = systemClock
  let owner: string | undefined
  /** The wall time of the last heartbeat, in ms; rises whatever the clock does. */
  let last = 0
  let draining = false
  /** The file is a new one, in which this process has no heartbeat yet. */
  let replaced = false
  let recover: Recover | undefined
  let pruned = -Infinity

  const leases = new Leases({
    clock: bound(() => clock),
    lease: settings.stale,
    beat: settings.heartbeat,
    renew: async (anew) => {
      let alive = true
      const before = owner
      const next = anew || before === undefined ? randomUUID() : before
      last = Math.max(last + 1, clock.now())
      await writer.write((db) => {
        if (next === before) {
          alive = db.run('UPDATE instances SET beat = ? WHERE owner = ?', last, next) > 0
          return
        }
        if (before !== undefined) db.run('DELETE FROM instances WHERE owner = ?', before)
        db.run('INSERT INTO instances (owner, beat) VALUES (?, ?)', next, last)
      })
      owner = next
      if (alive) replaced = false
      return alive
    },
    onBeat: () => void beat(),
  })
  const report = (error: unknown) => host?.emit('error', error, { source: 'sqlite' })
  const store = new SqliteStore({
    writer,
    settings,
    owner: () => owner,
    onRefused: ({ key, state }) =>
      host?.log.warn({ tick: key, outcome: state }, `${key} had been abandoned: its end was not recorded`),
  })
  const lock = new SqliteLock({
    writer,
    leases,
    clock: () => clock,
    instance: () => host?.instance ?? '',
    owner: () => (replaced ? undefined : owner),
    draining: () => draining,
    onDead: async () => recover?.look({ rerun: false }).catch(report),
  })

  async function beat(): Promise<void> {
    try {
      // What is found while stopping is left to others.
      if (!draining) await recover?.look()
      if (clock.monotonic() - pruned >= PRUNE) {
        pruned = clock.monotonic()
        const longest = (host?.jobs() ?? []).reduce(
          (most, { policies }) => Math.max(most, policies.catchUp),
          0,
        )
        store.prune(clock.now(), longest)
      }
      writer.sync()
    } catch (error) {
      report(error)
    }
  }

  return {
    name: 'sqlite',
    store,
    ...(settings.lock && { lock }),
    attach(given) {
      host = given
      clock = given.clock
      writer.clock = clock
      writer.onError = report
      writer.onReplaced = () => {
        replaced = true
      }
      writer.onNotice = (line) => host?.log.warn({ file }, `sqlite: ${line}`)
      // What died while no process was there is looked for at once.
      host.on('start', () => void beat())
      host.on('settled', (run) => recover?.settled(run))
      host.on('waiting-retry', (run) => store.retrying(run))
      host.on('drain', () => {
        draining = true
      })
    },
    async start(given) {
      draining = false
      writer.db.exec('PRAGMA optimize')
      recover = new Recover({
        writer,
        settings,
        host: given,
        lock: settings.lock ? lock : undefined,
        owner: () => owner,
      })
      await leases.start()
      // Before the first tick: it would meet the leases of the dead.
      await recover.declare()
    },
    async stop() {
      leases.stop()
      recover = undefined
      const gone = owner
      owner = undefined
      try {
        if (gone !== undefined) writer.later((db) => db.run('DELETE FROM instances WHERE owner = ?', gone))
        writer.flush()
        writer.sync()
      } finally {
        writer.close()
      }
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
