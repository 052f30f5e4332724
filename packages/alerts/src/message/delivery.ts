import { type Clock, parseDuration } from '@escapement/core'
import { integer } from '@escapement/core/plugin'
import type { Channel, Message } from '../types/index.ts'
import type { AlertsOptions } from '../types/options.ts'

export interface DeliveryOptions {
  /** In all. */
  tries: number
  /** Before the second try, in ms; five times as long before each further one. */
  backoff: number
  /** Of one try, in ms. */
  timeout: number
}

/** What a channel may put on its errors, to be tried again at a better time or not at all. */
export interface SendError extends Error {
  /** False: the same message will not be taken later either. */
  readonly retryable?: boolean
  /** True: somebody got it, but not everybody. It counts as sent, and the trouble is reported elsewhere. */
  readonly taken?: boolean
  /** Milliseconds the receiver asks to wait. */
  readonly retryAfter?: number
}

/** What an error says of itself. A channel may throw anything. */
export function hintsOf(error: unknown): Pick<SendError, 'retryable' | 'taken' | 'retryAfter'> {
  try {
    const { retryable, taken, retryAfter } = (error ?? {}) as Partial<Record<string, unknown>>
    return {
      retryable: retryable !== false,
      taken: taken === true,
      ...(typeof retryAfter === 'number' && retryAfter >= 0 && { retryAfter }),
    }
  } catch {
    return {}
  }
}

/** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION */
export function parseDelivery({
  tries,
  backoff,
  timeout,
}: Pick<AlertsOptions, 'tries' | 'backoff' | 'timeout'>): DeliveryOptions {
  return {
    tries: integer('tries', tries ?? 3, 1),
    backoff: parseDuration(backoff ?? '1s', 'backoff', { max: 3_600_000 }),
    timeout: parseDuration(timeout ?? '60s', 'timeout', { min: 1, max: 3_600_000 }),
  }
}

interface Wait {
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Sends a message, more than once if need be. Rejects with the last error, or when `signal` aborts. */
export async function deliver(
  channel: Channel,
  message: Message,
  options: DeliveryOptions & Wait,
): Promise<void> {
  const { tries, backoff, clock, signal } = options
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(channel, message, options)
    } catch (error) {
      const { retryable, retryAfter } = hintsOf(error)
      if (signal.aborted || attempt >= tries || retryable === false) throw error
      const wait = backoff * 5 ** (attempt - 1)
      // A long wait is left to the outbox, which sends what is new by then.
      if (retryAfter !== undefined && retryAfter > 60_000) throw error
      await pause(clock, Math.max(wait, retryAfter ?? 0), signal)
    }
  }
}

/** As `deliver()`. Rejects when nobody got the message; gives the error when not everybody did. */
export async function deliverToSome(...args: Parameters<typeof deliver>): Promise<unknown> {
  try {
    await deliver(...args)
    return undefined
  } catch (error) {
    if (hintsOf(error).taken) return error
    throw error
  }
}

/** One try. A channel that ignores its signal is left behind. */
function once(
  channel: Channel,
  message: Message,
  { timeout, clock, signal }: Pick<DeliveryOptions, 'timeout'> & Wait,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController()
    const over = () => {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    const give = (reason: Error) => {
      over()
      controller.abort(reason)
      reject(reason)
    }
    const onAbort = () => give(signal.reason)
    const timer = clock.setTimeout(
      () => give(new Error(`${channel.name} took longer than ${timeout} ms`)),
      timeout,
    )
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) {
      onAbort()
      return
    }
    void new Promise<void>((sent) => sent(channel.send(message, { signal: controller.signal })))
      .then(resolve, reject)
      .finally(over)
  })
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clock.clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    timer.unref?.()
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
