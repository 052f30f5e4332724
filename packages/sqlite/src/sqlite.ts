import type { Host, Plugin } from '@escapement/core'
import { refused, SqlFleet } from '@escapement/sql-fleet'
import { SqliteBackend } from './backend.ts'
import { identity } from './file/identity.ts'
import { open } from './file/open.ts'
import { parseOptions, type Settings, type SqliteOptions } from './options.ts'
import { SqliteStore } from './store/store.ts'
import { sqlOf } from './writer/sql.ts'
import { Writer } from './writer/writer.ts'

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
  const writer = writerOf(settings)
  // The file is a new one, in which this process has no heartbeat yet.
  let replaced = false
  writer.onReplaced = () => {
    replaced = true
  }
  const store = new SqliteStore({
    writer,
    sql: sqlOf(writer),
    settings,
    instance: () => host?.instance ?? '',
    owner: () => fleet.owner,
    onFault: (error) => fleet.fails(error),
    onRefused: (record) => host?.log.warn(...refused(record)),
  })
  let host: Host | undefined
  const fleet: SqlFleet = new SqlFleet({
    backend: new SqliteBackend(writer, () => writer.clock, settings.lease),
    settings,
    store,
    sql: sqlOf(writer),
    trouble: () => writer.trouble.reason,
    usable: () => !replaced,
    attached(given) {
      host = given
      connect(given, { writer, store }, settings.file)
    },
    open: () => writer.db.exec('PRAGMA optimize'),
    onHeartbeat: () => {
      replaced = false
      writer.sync()
    },
    flush: () => writer.flush(),
    close: () => writeAndClose(writer),
  })
  return fleet.plugin()
}

function writerOf({ file, full, migrate }: Settings): Writer {
  const reopen = { full, migrate, busy: 100 }
  return new Writer(
    (again) => open(file, again ? reopen : { full, migrate }),
    full ? 0 : DELAY_MS,
    () => identity(file),
  )
}

function connect(host: Host, { writer, store }: { writer: Writer; store: SqliteStore }, file: string): void {
  writer.clock = host.clock
  host.on('waiting-retry', (run) => store.retrying(run))
  writer.trouble.onError = (error) => host.emit('error', error, { source: 'sqlite' })
  writer.trouble.onNotice = (line) => host.log.warn({ file }, `sqlite: ${line}`)
}

function writeAndClose(writer: Writer): void {
  try {
    writer.flush()
    writer.sync()
  } finally {
    writer.close()
  }
}
