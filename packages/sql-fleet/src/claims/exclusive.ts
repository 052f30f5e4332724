import type { Claim, Clock, Maybe } from '@escapement/core'
import { Mutexes, sleep } from '@escapement/core/plugin'

const FIRST_WAIT_MS = 20
/** Whoever has waited for long asks about as often as whoever has just come. */
const MAX_WAIT_MS = 100

interface Asker {
  readonly name: string
  /** Gives the claim, or undefined while another holder has it. */
  readonly acquire: () => Promise<Claim | undefined>
  readonly signal?: AbortSignal | undefined
}

/**
 * Mutexes of the fleet. Those who ask for one in this process get it in the order in which they came: the first of them
 * asks the database until it is free, the others wait for those before them.
 */
export class Exclusive {
  readonly #clock: Clock
  readonly #turns = new Mutexes()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `fn` under a mutex. What `fn` gives counts whatever becomes of the mutex afterwards. */
  run<T>({ name, acquire, signal }: Asker, fn: (signal: AbortSignal) => Maybe<T>): Promise<T> {
    const given = signal ?? new AbortController().signal
    return this.#turns.exclusive(name, (turn) => this.#hold(acquire, fn, turn), given)
  }

  async #hold<T>(
    acquire: Asker['acquire'],
    fn: (signal: AbortSignal) => Maybe<T>,
    signal: AbortSignal,
  ): Promise<T> {
    let claim: Claim | undefined
    for (let wait = FIRST_WAIT_MS; !claim; wait = Math.min(wait * 2, MAX_WAIT_MS)) {
      signal.throwIfAborted()
      claim = await acquire()
      if (!claim) await sleep(this.#clock, wait * (0.5 + Math.random() / 2))
    }
    const lost = new AbortController()
    const undo = claim.onLost((reason) => lost.abort(reason))
    try {
      return await fn(AbortSignal.any([signal, lost.signal]))
    } finally {
      undo()
      await claim.complete('succeeded')
    }
  }
}
