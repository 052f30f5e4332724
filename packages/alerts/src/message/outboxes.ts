import type { Clock, Logger } from '@escapement/core'
import type { Channel, Incident } from '../types/index.ts'
import { Outbox, type OutboxParts } from './outbox.ts'

/** The outboxes of all channels. */
export class Outboxes {
  readonly #all: readonly Outbox[]
  readonly #clock: Clock
  readonly #log: Logger

  constructor(channels: readonly Channel[], parts: OutboxParts) {
    this.#all = channels.map((channel) => new Outbox(channel, parts))
    this.#clock = parts.clock
    this.#log = parts.log
  }

  /** An incident changed. */
  plan(incident: Incident, gone: boolean): void {
    for (const outbox of this.#all) outbox.plan(incident, gone)
  }

  /** The wall clock was set. */
  reset(): void {
    for (const outbox of this.#all) outbox.reset()
  }

  resume(): void {
    for (const outbox of this.#all) outbox.resume()
  }

  /** Whether a channel still has to get a notice of an incident, now or later. */
  want(incident: Incident): boolean {
    return this.#all.some((outbox) => outbox.wants(incident))
  }

  /** Notices that are due and not sent yet. */
  get owed(): number {
    const now = this.#clock.now()
    return this.#all.reduce((sum, outbox) => sum + outbox.owed(now), 0)
  }

  get sent(): number {
    return this.#all.reduce((sum, { sent }) => sum + sent, 0)
  }

  get failed(): number {
    return this.#all.reduce((sum, { failed }) => sum + failed, 0)
  }

  /**
   * Sends what is left and then does `last`, in `ms` at most.
   *
   * @param kept As for `flush()` of each.
   */
  async finish(ms: number, kept: boolean, last: () => Promise<void> | undefined): Promise<void> {
    const controller = new AbortController()
    const { signal } = controller
    const work = async () => {
      await Promise.all(this.#all.map((outbox) => outbox.flush(signal, kept)))
      await last()
    }
    const late = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    const timer = this.#clock.setTimeout(() => controller.abort(new Error('the scheduler stopped')), ms)
    await Promise.race([work(), late])
    this.#clock.clearTimeout(timer)
  }

  /** Closes the channels. */
  async close(): Promise<void> {
    for (const { channel } of this.#all) {
      try {
        await channel.close?.()
      } catch (error) {
        this.#log.warn({ channel: channel.name, error }, 'a channel could not be closed')
      }
    }
  }
}
