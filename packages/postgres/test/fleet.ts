import { createScheduler, type Run, type Scheduler } from '@escapement/core'
import { type PostgresOptions, postgres } from '@escapement/postgres'
import type pg from 'pg'
import { expect } from 'vitest'
import type { Server } from './server.ts'

/** What all of its instances have. */
export interface FleetOptions extends Partial<PostgresOptions> {
  /** Gives its jobs to an instance. */
  jobs(scheduler: Scheduler, fleet: Fleet): void
}

/** Instances in this process that share a schema, each with a pool of its own, and what they tell. */
export class Fleet {
  readonly schema: string
  /** Keys of the runs whose handler was entered, as `note` was called. */
  readonly begun: string[] = []
  readonly settled: Run[] = []
  readonly abandoned: string[] = []
  /** What was logged as a warning or an error. */
  readonly lines: string[] = []
  readonly members: Scheduler[] = []
  readonly #server: Server
  readonly #admin: pg.Pool
  readonly #options: FleetOptions

  constructor(server: Server, schema: string, options: FleetOptions) {
    this.#server = server
    this.#admin = server.pool({ max: 2 })
    this.schema = schema
    this.#options = options
  }

  async start(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.add()
  }

  async add(more: Partial<PostgresOptions> = {}): Promise<Scheduler> {
    const { jobs, ...options } = this.#options
    const pool = this.#server.pool({ max: 10 })
    const plugin = postgres({ pool, schema: this.schema, heartbeat: 200, lease: 4000, ...options, ...more })
    const write = (_fields: unknown, text?: string) => void this.lines.push(String(text))
    const scheduler = createScheduler({
      plugins: [plugin],
      timezone: 'UTC',
      instance: `${this.schema}-${this.members.length}`,
      logger: { debug() {}, info() {}, warn: write, error: write },
    })
    scheduler.on('settled', (run) => void this.settled.push(run))
    scheduler.on('abandoned', (run) => void this.abandoned.push(run.key))
    this.members.push(scheduler)
    jobs(scheduler, this)
    await scheduler.start()
    return scheduler
  }

  note(run: Run): void {
    this.begun.push(run.key)
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((one) => one.stop({ grace: 3000 })))
  }

  /** Rows of a statement; `$.` is the schema. */
  async rows(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.#admin.query(sql.replaceAll('$.', `${this.schema}.`), values)).rows
  }

  /** Each of the jobs succeeds with a tick or request of after this call. */
  async works(jobs: readonly string[], timeout = 6000): Promise<void> {
    const since = Date.now()
    const missing = () =>
      jobs.filter(
        (job) =>
          !this.settled.some(
            (run) =>
              run.job.name === job && run.outcome === 'succeeded' && run.tick.scheduledAt.getTime() >= since,
          ),
      )
    await expect.poll(missing, { timeout, message: `jobs of ${this.schema} that do not run` }).toEqual([])
  }

  /** No claim is left under way that nobody is at work on: all runs end within the time. */
  async idle(timeout = 4000): Promise<void> {
    const left = () =>
      this.rows(`SELECT key, state FROM $.claims WHERE state = 'run' AND at < now() - interval '2 s'`)
    await expect.poll(left, { timeout, message: `claims of ${this.schema} that do not end` }).toEqual([])
  }

  /** Each instance that is there writes two more heartbeats: what follows the first is done then. */
  async beats(): Promise<void> {
    for (let beat = 0; beat < 2; beat++) {
      const before = new Map((await this.#lives()).map(({ owner, until }) => [owner, until]))
      const waiting = async () => (await this.#lives()).filter((one) => before.get(one.owner) === one.until)
      await expect.poll(waiting, { timeout: 20_000, message: 'instances without a heartbeat' }).toEqual([])
    }
  }

  #lives(): Promise<Record<string, unknown>[]> {
    return this.rows('SELECT owner, until::text AS until FROM $.instances')
  }

  /** No tick was begun twice. */
  once(): void {
    expect(this.begun.toSorted()).toEqual([...new Set(this.begun)].toSorted())
  }
}
