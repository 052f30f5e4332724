import { type Clock, EscapementError } from '@escapement/core'
import { type Script, TEND } from '../scripts/index.ts'
import type { Connection } from './connection.ts'
import type { Shard } from './shard.ts'

/** Is called with what becomes of commands. */
export interface Watch {
  /** There was no answer in time, or Redis refused: the shard is not to be asked for now. */
  onSilence(shard: Shard): void
  /** All that was owed has been answered after all. */
  onAnswer(shard: Shard): void
  /** Another server answers than the one that was greeted. Returns the error to throw. */
  onOther(shard: Shard): Error
  /** The clock of the server showed `now` between `sent` and `received`, on the monotonic clock. */
  onTime(shard: Shard, sent: number, received: number, now: number): void
}

/** Commands over a connection, whose answers are waited for at most the timeout. */
export class Channel {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #timeout: number
  readonly #watch: Watch

  constructor(connection: Connection, clock: Clock, timeout: number, watch: Watch) {
    this.#connection = connection
    this.#clock = clock
    this.#timeout = timeout
    this.#watch = watch
  }

  /** Waits for an answer, at most the timeout. A shard that lets us wait is not asked until it answers again. */
  #within<T>(shard: Shard, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let late = false
      let turn: NodeJS.Immediate | undefined
      // When this process was held up, the answer may have arrived and not been read yet: it is by the next turn.
      const timer = setTimeout(() => {
        turn = setImmediate(() => {
          late = true
          const silence = this.#connection.fault(new Error(`no answer within ${this.#timeout} ms`))
          this.#watch.onSilence(shard)
          reject(silence)
        })
      }, this.#timeout)
      const arrived = () => {
        clearTimeout(timer)
        clearImmediate(turn)
      }
      answer.then(
        (value) => {
          arrived()
          resolve(value)
          // It has answered all it owed us.
          if (late && !shard.usable && shard.unanswered === 0) this.#watch.onAnswer(shard)
        },
        (error: unknown) => {
          arrived()
          reject(error)
        },
      )
    })
  }

  /** The values of keys. */
  async read(shard: Shard, keys: string[]): Promise<(string | null)[]> {
    const values = await this.known('mget', shard, this.#connection.client.mget(...keys))
    if (values?.length !== keys.length) throw this.#connection.down('its answer makes no sense')
    return values
  }

  /** Runs a script that answers with the time of its server first. */
  async timed(shard: Shard, script: Script, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    const sent = this.#clock.monotonic()
    const reply = await this.known(script.sha, shard, this.send(shard, script, keys, args))
    if (!Array.isArray(reply) || Number.isNaN(Number(reply[0])))
      throw this.#connection.down('its answer makes no sense')
    this.#watch.onTime(shard, sent, this.#clock.monotonic(), Number(reply[0]))
    return reply
  }

  /** Waits for an answer to a command, and knows from then on whether Redis refuses such commands. */
  async known<T>(command: string, shard: Shard, answer: Promise<T>): Promise<T> {
    const { epoch } = this.#connection
    shard.unanswered++
    const counted = answer.finally(() => {
      shard.unanswered--
    })
    try {
      const value = await this.#within(shard, counted)
      this.#connection.accepted(command)
      return value
    } catch (error) {
      if (error instanceof EscapementError) throw error
      if (isUnknownScript(error)) {
        if (shard.mark && command !== TEND.sha) throw this.#watch.onOther(shard)
        throw error
      }
      const fault = this.#connection.fault(error, command)
      if (epoch === this.#connection.epoch) this.#watch.onSilence(shard)
      throw fault
    }
  }

  /** Sends a script by its hash, or as a whole where the server may not have it. */
  async send(shard: Shard, given: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    const script = shard.variant(given)
    const lasts = script === given
    if (!lasts || shard.has(script)) {
      try {
        return await this.#connection.client.evalsha(script.sha, keys.length, ...keys, ...args)
      } catch (error) {
        // A marked script is not given again: a server that does not know it is another one.
        if (!lasts || !isUnknownScript(error)) throw error
      }
    }
    const reply = await this.#connection.client.eval(script.source, keys.length, ...keys, ...args)
    shard.sent(script)
    return reply
  }
}

export function isUnknownScript(error: unknown): boolean {
  return String((error as Error | undefined)?.message).startsWith('NOSCRIPT')
}
