import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqliteOptions } from '@escapement/sqlite'
import { Machine } from '../machine.ts'
import type { Fault } from '../plan.ts'
import type { Random } from '../random.ts'
import type { Access, Setting, Share, Shared, Stored } from '../shared.ts'
import { Connection, type ConnectionParts, type Driver, realDriver, release } from './driver.ts'

/** A fleet whose processes share a SQLite file. */
export function sqliteFile(options: Omit<SqliteOptions, 'file'>): Share {
  return (setting) => new File(setting, options)
}

/** A real file, in memory where the machine has such a folder, and what goes wrong with it. */
class File implements Shared, Stored {
  readonly name = 'jobs.db'
  readonly stores: readonly Stored[] = [this]
  readonly lostAt: number[] = []
  keys = 0
  readonly claims: Map<string, string> = new Map()
  readonly #setting: Setting
  readonly #options: Omit<SqliteOptions, 'file'>
  readonly #random: Random
  readonly #real: new (
    file: string,
  ) => Driver
  readonly #folder: string
  readonly #file: string
  readonly #connections = new Map<string, Set<Connection>>()
  readonly #getBuiltinModule = process.getBuiltinModule
  /** Holds the write lock for another program, or for a process that gets no processor. */
  #locker: { driver: Driver; until: number; holder: string | undefined } | undefined
  #fullUntil = 0
  #failsUntil = 0
  /** Processes that are to die within a transaction: after how many statements. */
  readonly #crashes = new Map<string, number>()

  constructor(setting: Setting, options: Omit<SqliteOptions, 'file'>) {
    this.#setting = setting
    this.#options = options
    this.#random = setting.world.random.fork('file')
    this.#real = realDriver()
    const memory = '/dev/shm'
    this.#folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'simulation-'))
    this.#file = join(this.#folder, this.name)
    process.getBuiltinModule = ((id: string) =>
      id === 'node:sqlite' ? this.#driver() : this.#getBuiltinModule(id)) as typeof process.getBuiltinModule
  }

  get losses(): number {
    return this.lostAt.length
  }

  join({ name }: Machine): Access {
    const connections = new Set<Connection>()
    this.#connections.set(name, connections)
    return {
      plugin: this.#setting.code.sqlite({ ...this.#options, file: this.#file }),
      abandon: () => {
        for (const connection of connections) connection.close()
        if (this.#locker?.holder === name) this.#unlock()
      },
    }
  }

  apply(fault: Fault): void {
    const { now } = this.#setting.world
    if (fault.do === 'lock') this.#lock(fault.ms)
    else if (fault.do === 'hold') this.#hold(fault.who, fault.ms)
    else if (fault.do === 'full') this.#fullUntil = Math.max(this.#fullUntil, now + fault.ms)
    else if (fault.do === 'io-errors') this.#failsUntil = Math.max(this.#failsUntil, now + fault.ms)
    else if (fault.do === 'crash') this.#crashes.set(fault.who, fault.after)
    else if (fault.do === 'save') this.#save()
    else if (fault.do === 'restore') this.#restore()
  }

  close(): void {
    process.getBuiltinModule = this.#getBuiltinModule
    this.#unlock()
    const db = new this.#real(this.#file)
    const claims = db.prepare('SELECT key, state FROM claims').all() as { key: string; state: string }[]
    for (const { key, state } of claims) this.claims.set(key, state)
    const { n } = db.prepare('SELECT count(*) AS n FROM instances').get() as { n: number }
    this.keys = n + claims.filter(({ state }) => state === 'run').length
    db.close()
    rmSync(this.#folder, { recursive: true })
  }

  /** What the code under test takes for `node:sqlite`. */
  #driver(): object {
    const open = (file: string) => this.#open(file)
    const keep = (machine: Machine, connection: Connection) =>
      this.#connections.get(machine.name)?.add(connection)
    return {
      DatabaseSync: class extends Connection {
        constructor(file: string) {
          const parts = open(file)
          super(parts)
          keep(parts.machine, this)
        }
      },
    }
  }

  #open(file: string): ConnectionParts {
    const machine = Machine.running as Machine
    return {
      machine,
      real: new this.#real(file),
      before: (sql) => this.#before(machine.name, sql),
      committed: () => this.#step(machine.name, true),
    }
  }

  #before(name: string, sql: string): void {
    const { now } = this.#setting.world
    // To roll back needs no disk.
    if (sql === 'ROLLBACK') return
    if (now < this.#failsUntil && this.#random.chance(0.5)) throw new Error('disk I/O error')
    const writes = /^\s*(INSERT|UPDATE|COMMIT)/.test(sql)
    if (now < this.#fullUntil && writes && this.#random.chance(0.5))
      throw new Error('database or disk is full')
    if (writes) this.#step(name, false)
  }

  /** One step on the way to the end of a process that is to die. */
  #step(name: string, committed: boolean): void {
    const left = this.#crashes.get(name)
    if (left === undefined) return
    this.#crashes.set(name, left - 1)
    if (left > 1) return
    this.#crashes.delete(name)
    this.#setting.kill(name)
    throw new Error(committed ? 'the process is gone: it had committed' : 'the process is gone')
  }

  #lock(ms: number, holder?: string): void {
    const { world } = this.#setting
    const until = Math.max(world.now + ms, this.#locker?.until ?? 0)
    if (this.#locker) this.#locker.until = until
    else {
      const driver = new this.#real(this.#file)
      driver.exec('BEGIN IMMEDIATE')
      this.#locker = { driver, until, holder }
    }
    world.at(until, () => {
      if (this.#locker && this.#locker.until <= world.now) this.#unlock()
    })
  }

  #hold(name: string, ms: number): void {
    const process = [...(this.#connections.get(name) ?? [])]
    if (process.length === 0 || this.#locker) return
    this.#lock(ms, name)
  }

  #unlock(): void {
    if (this.#locker) release(this.#locker.driver)
    this.#locker = undefined
  }

  #save(): void {
    const copy = this.#copy
    rmSync(copy, { force: true })
    const db = new this.#real(this.#file)
    db.exec(`VACUUM INTO '${copy}'`)
    db.close()
  }

  #restore(): void {
    const copy = this.#copy
    if (!existsSync(copy)) return
    for (const end of ['-wal', '-shm']) rmSync(this.#file + end, { force: true })
    renameSync(copy, this.#file)
    this.lostAt.push(this.#setting.world.now)
  }

  get #copy(): string {
    return `${this.#file}.copy`
  }
}
