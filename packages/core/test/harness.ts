import { createScheduler, type Run, type Scheduler, type SchedulerOptions } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'

export interface Harness {
  clock: VirtualClock
  scheduler: Scheduler
  /** What ended, in order: `name outcome[:reason] HH:MM:SS`. */
  log: string[]
  runs: Run[]
  /** Log lines as written. */
  lines: { level: string; fields: Record<string, unknown>; message: string | undefined }[]
}

/** A scheduler on a virtual clock, and a record of what it told. */
export function harness(options: SchedulerOptions & { start?: string } = {}): Harness {
  const { start, ...rest } = options
  const clock = new VirtualClock(start)
  const lines: Harness['lines'] = []
  const method = (level: string) => (fields: object | string, message?: string) =>
    void lines.push(
      typeof fields === 'string'
        ? { level, fields: {}, message: fields }
        : { level, fields: fields as Record<string, unknown>, message },
    )
  const logger = {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
  }
  const scheduler = createScheduler({ clock, timezone: 'UTC', logger, ...rest })
  const log: string[] = []
  const runs: Run[] = []
  scheduler.on('settled', (run) => {
    runs.push(run)
    const at = run.tick.scheduledAt.toISOString().slice(11, 19)
    log.push(`${run.job.name} ${run.outcome}${run.reason ? `:${run.reason}` : ''} ${at}`)
  })
  return { clock, scheduler, log, runs, lines }
}

/** A promise and its handles. */
export function deferred<T = void>(): {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: unknown) => void
} {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
