import { PGlite } from '@electric-sql/pglite'
import { Machine } from '../machine.ts'
import type { Random } from '../random.ts'
import type { Stored } from '../shared.ts'
import type { World } from '../world.ts'

export type Row = Record<string, unknown>

/** One for all simulations of this process: it takes two seconds to begin. */
let engine: Promise<PGlite> | undefined

const TABLES = ['jobs', 'runs', 'claims', 'fences', 'instances', 'incidents']

/**
 * A server that executes the real SQL, by PostgreSQL compiled to WebAssembly, one statement after the other. What it shows
 * as the time is written into the statements: `now()` is when a statement arrived, `clock_timestamp()` when it is executed.
 */
export class Postgres implements Stored {
  readonly name = 'postgres'
  readonly lostAt: number[] = []
  keys = 0
  readonly claims: Map<string, string> = new Map()
  up = true
  /** Rises when its connections break. */
  life = 0
  /** In true time: until then it executes nothing, its tables are locked, it is read-only, statements fail. */
  hungUntil = 0
  lockedUntil = 0
  readOnlyUntil = 0
  timeoutsUntil = 0
  collisionsUntil = 0
  /** Told when connections break. */
  readonly onDown: Set<() => void> = new Set<() => void>()
  readonly #world: World
  readonly #random: Random
  readonly #db: PGlite

  private constructor(world: World, db: PGlite) {
    this.#world = world
    this.#random = world.random.fork('postgres')
    this.#db = db
  }

  static async make(world: World): Promise<Postgres> {
    engine ??= PGlite.create()
    const db = await engine
    await db.exec('DROP SCHEMA IF EXISTS escapement CASCADE; DROP SCHEMA IF EXISTS lag CASCADE')
    return new Postgres(world, db)
  }

  get losses(): number {
    return this.lostAt.length
  }

  kill(): void {
    this.up = false
    this.life++
    for (const tell of [...this.onDown]) tell()
  }

  start(): void {
    this.up = true
    this.hungUntil = 0
  }

  /** What a replica that lags behind has. */
  async save(): Promise<void> {
    if (!(await this.#exists())) return
    const copies = TABLES.map((table) => `CREATE TABLE lag.${table} AS TABLE escapement.${table};`)
    await this.#exec(`DROP SCHEMA IF EXISTS lag CASCADE; CREATE SCHEMA lag; ${copies.join(' ')}`)
  }

  /** The replica takes over: what it had not received is lost. */
  async failOver(): Promise<void> {
    const [lag] = await this.#query("SELECT to_regclass('lag.incidents') AS it")
    if (!lag?.it) return
    const rows = TABLES.map(
      (table) => `TRUNCATE escapement.${table}; INSERT INTO escapement.${table} SELECT * FROM lag.${table};`,
    )
    await this.#exec(`BEGIN; ${rows.join(' ')} COMMIT`)
    this.lostAt.push(this.#world.now)
  }

  async count(): Promise<void> {
    if (!(await this.#exists())) return
    const claims = await this.#query('SELECT key, state FROM escapement.claims')
    for (const { key, state } of claims) this.claims.set(String(key), String(state))
    const [row] = await this.#query('SELECT count(*)::int AS n FROM escapement.instances')
    this.keys = Number(row?.n) + claims.filter(({ state }) => state === 'run').length
  }

  /**
   * A statement has arrived. `answer` is called when it was executed, or failed.
   *
   * @param dead Whether its session was ended meanwhile.
   */
  receive(sql: string, values: unknown[], dead: () => boolean, answer: (reply: Row[] | Error) => void): void {
    const { life } = this
    const arrived = this.#world.wall
    const go = async (): Promise<void> => {
      if (!this.up || this.life !== life || dead()) return
      const free = Math.max(this.hungUntil, this.lockedUntil)
      // Those that waited for a lock go on in any order.
      if (free > this.#world.now) {
        this.#world.at(free + this.#random.next(), go)
        return
      }
      answer(this.#refusal(sql) ?? (await this.#execute(sql, values, arrived)))
    }
    this.#world.after(0.2, go)
  }

  #refusal(sql: string): Error | undefined {
    const { now } = this.#world
    if (now < this.readOnlyUntil && /\b(INSERT|UPDATE|DELETE|CREATE)\b/.test(sql))
      return fault('25006', 'cannot execute INSERT in a read-only transaction')
    if (now < this.timeoutsUntil && this.#random.chance(0.5))
      return fault('57014', 'canceling statement due to statement timeout')
    if (now < this.collisionsUntil && this.#random.chance(0.4))
      return fault(this.#random.pick(['40001', '40P01', '55P03']), 'another transaction was in the way')
    return undefined
  }

  async #execute(sql: string, values: unknown[], arrived: number): Promise<Row[] | Error> {
    const text = sql
      .replaceAll('clock_timestamp()', timestamp(this.#world.wall))
      .replaceAll(/\bnow\(\)/g, timestamp(arrived))
    try {
      return await this.#query(text, values)
    } catch (error) {
      return error as Error
    }
  }

  async #exists(): Promise<boolean> {
    const [row] = await this.#query("SELECT to_regclass('escapement.incidents') AS it")
    return Boolean(row?.it)
  }

  /** In real time, while the simulated stands still: it is nobody's process that works. */
  async #query(sql: string, values: unknown[] = []): Promise<Row[]> {
    const { rows } = await inRealTime(() => this.#db.query<Row>(sql, values))
    return rows
  }

  async #exec(sql: string): Promise<void> {
    await inRealTime(() => this.#db.exec(sql))
  }
}

async function inRealTime<T>(work: () => Promise<T>): Promise<T> {
  const { outside } = Machine
  Machine.running = undefined
  Machine.outside = true
  try {
    return await work()
  } finally {
    Machine.outside = outside
  }
}

function timestamp(wall: number): string {
  const micros = String(Math.floor((wall % 1) * 1000)).padStart(3, '0')
  return `'${new Date(wall).toISOString().slice(0, -1)}${micros}+00'::timestamptz`
}

function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
