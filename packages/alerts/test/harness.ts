import { createScheduler, type Plugin, type Scheduler, type SchedulerOptions } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { type Alerts, type AlertsOptions, alerts, type Channel, type Message } from '../src/index.ts'

export interface Recorder extends Channel {
  messages: Message[]
  /** A line for each notice: `HH:MM:SS kind subject status ×count #told`, grouped by message. */
  lines: string[]
  /** What send() does next. */
  fail: ((message: Message) => Promise<void> | void) | undefined
  tries: number
  closed: number
}

/** A channel that writes down what it gets. */
export function recorder(name = 'mail'): Recorder {
  return {
    name,
    messages: [],
    lines: [],
    fail: undefined,
    tries: 0,
    closed: 0,
    async send(message) {
      this.tries++
      await this.fail?.(message)
      this.messages.push(message)
      const notices = message.notices.map(
        ({ kind, subject, status, count, told }) => `${kind} ${subject} ${status} ×${count} #${told}`,
      )
      this.lines.push(`${message.at.toISOString().slice(11, 19)} ${notices.join(' | ')}`)
    },
    close() {
      this.closed++
    },
  }
}

export interface World {
  clock: VirtualClock
  scheduler: Scheduler
  plugin: Alerts
  mail: Recorder
  lines: { level: string; fields: object | string; message: string | undefined }[]
  /** Runs a job by hand and waits for its end. */
  run(job: string): Promise<void>
  /** Makes a job that fails while its flag is set. */
  flaky(name: string, options?: object): { broken: boolean; error: unknown }
}

/** A scheduler with alerts on a virtual clock, at noon UTC. */
export function world(
  options: Partial<AlertsOptions> = {},
  { plugins = [], ...rest }: SchedulerOptions & { plugins?: Plugin[] } = {},
): World {
  const clock = rest.clock instanceof VirtualClock ? rest.clock : new VirtualClock('2026-11-20T12:00:00Z')
  const mail = recorder()
  const plugin = alerts({ channels: [mail], ...options })
  const lines: World['lines'] = []
  const write = (level: string) => (fields: object | string, message?: string) =>
    void lines.push({ level, fields, message })
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const scheduler = createScheduler({
    timezone: 'UTC',
    logger,
    instance: 'web-1',
    ...rest,
    clock,
    plugins: [...plugins, plugin],
  })
  return {
    clock,
    scheduler,
    plugin,
    mail,
    lines,
    async run(job) {
      await scheduler.run(job, undefined, { wait: true })
    },
    flaky(name, jobOptions = {}) {
      const state: { broken: boolean; error: unknown } = { broken: true, error: new Error(`${name} broke`) }
      scheduler.job(name, '0 0 1 1 *', jobOptions, () => {
        if (state.broken) throw state.error
      })
      return state
    },
  }
}
