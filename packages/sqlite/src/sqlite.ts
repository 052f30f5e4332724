import { type Clock, type Plugin, systemClock } from '@escapement/core'
import { Pauses, SqlFleet } from '@escapement/sql-fleet'
import { SqliteBackend } from './backend.ts'
import { identity } from './identity.ts'
import { open } from './open.ts'
import { parseOptions, type SqliteOptions } from './options.ts'
import { SqliteStore } from './store.ts'
import { Writer } from './writer.ts'

/** Records are written together after this time. */
const DELAY_MS = 10

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
    full ? 0 : DELAY_MS,
    () => identity(file),
  )
  let clock: Clock = systemClock
  /** The file is a new one, in which this process has no heartbeat yet. */
  let replaced = false
  const backend = new SqliteBackend(writer, () => clock, settings.lease)
  const pauses = new Pauses(() => backend)
  const store = new SqliteStore({
    writer,
    pauses,
    settings,
    owner: () => fleet.owner,
    onRefused: (record) => refused(record),
  })
  let refused: (record: { key: string; state: string }) => void = () => {}
  const fleet: SqlFleet = new SqlFleet({
    backend,
    settings,
    store,
    pauses,
    trouble: () => writer.trouble.reason,
    usable: () => !replaced,
    attached(host) {
      clock = host.clock
      writer.clock = clock
      writer.trouble.onError = (error) => host.emit('error', error, { source: 'sqlite' })
      writer.onReplaced = () => {
        replaced = true
      }
      writer.trouble.onNotice = (line) => host.log.warn({ file }, `sqlite: ${line}`)
      refused = ({ key, state }) =>
        host.log.warn({ tick: key, outcome: state }, `${key} had been abandoned: its end was not recorded`)
      host.on('waiting-retry', (run) => store.retrying(run))
    },
    open: () => writer.db.exec('PRAGMA optimize'),
    // Before the first tick: it would meet the leases of the dead.
    opened: () => backend.declareDead(fleet.owner),
    onHeartbeat: () => {
      replaced = false
      writer.sync()
    },
    newest: () => store.newest(),
    prune: (now, catchUpWindow) => store.prune(now, catchUpWindow),
    close() {
      try {
        writer.flush()
        writer.sync()
      } finally {
        writer.close()
      }
    },
  })
  return fleet.plugin()
}
