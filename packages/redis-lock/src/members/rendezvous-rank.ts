import { fnv1a } from '@escapement/core/plugin'

/** When the second in line looks after a tick, in ms after its instant. */
const SECOND_DELAY_MS = 150
/** When the others do; each instance up to SPREAD_MS later, always by as much, so that its ticks share a look. */
const OTHERS_DELAY_MS = 200
const SPREAD_MS = 50

/** Scrambles 32 bits (the finalizer of MurmurHash3). */
function mix(h: number): number {
  let x = h
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/**
 * How long to leave a tick to those before us, in ms: two different times for an instance, not one for each rank.
 * When decisions take long (`latency`), so do the owner's: an instance that helps early would only make it worse.
 *
 * @param spread How much later than others this instance is, in ms: see {@link RendezvousRank.spread}.
 */
export function delay(rank: number, period: number, spread: number, latency = 0): number {
  if (rank === 0) return 0
  const ms =
    rank === 1
      ? Math.min(SECOND_DELAY_MS + 2 * latency, 400)
      : Math.min(OTHERS_DELAY_MS + spread + 6 * latency, 800)
  return Math.round(ms * Math.min(1, period / 1000))
}

/** Which instance of the fleet claims a job's ticks at once. It only saves work: the claim decides, whichever instance asks. */
export class RendezvousRank {
  readonly self: string
  /** How much later than others it looks after the ticks of others, in ms. */
  readonly spread: number
  readonly #own: number
  /** Those that were seen alive lately, and their hashes. */
  #others: readonly { readonly id: string; readonly hash: number }[] = []
  #known = ''
  #ranks = new Map<string, number>()
  readonly #lacking: (job: string) => (id: string) => boolean

  /** @param lacking Whether it is known of an instance that it does not have a job. */
  constructor(self: string, lacking: (job: string) => (id: string) => boolean = () => () => false) {
    this.self = self
    this.#lacking = lacking
    this.#own = fnv1a(self)
    this.spread = this.#own % SPREAD_MS
  }

  /** Those that were seen alive lately, in any order. */
  set instances(ids: readonly string[]) {
    const known = [...ids].sort().join(' ')
    if (known === this.#known) return
    this.#known = known
    this.#others = ids.filter((id) => id !== this.self).map((id) => ({ id, hash: fnv1a(id) }))
    this.#ranks.clear()
  }

  /** It has changed which instance has which jobs. */
  renew(): void {
    this.#ranks.clear()
  }

  /** The place in line for a job, of those that have it: 0 for its owner. Rendezvous hashing: each instance has its own order of jobs. */
  rank(job: string): number {
    let rank = this.#ranks.get(job)
    if (rank === undefined) {
      const seed = fnv1a(job)
      const own = mix(this.#own ^ seed)
      const before = this.#others.filter((other) => mix(other.hash ^ seed) > own)
      const lacks = this.#lacking(job)
      rank = before.filter(({ id }) => !lacks(id)).length
      this.#ranks.set(job, rank)
    }
    return rank
  }
}
