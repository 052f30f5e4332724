/** The seven fields of an expression, in the order of the long form. */
export type FieldName = 'second' | 'minute' | 'hour' | 'day-of-month' | 'month' | 'day-of-week' | 'year'

export interface FieldRule {
  readonly name: FieldName
  readonly min: number
  readonly max: number
  /** Three-letter names; the first stands for `min`. */
  readonly names?: readonly string[]
}

export const months: readonly string[] = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ')
export const weekdays: readonly string[] = 'SUN MON TUE WED THU FRI SAT'.split(' ')

export const rules: Record<FieldName, FieldRule> = {
  second: { name: 'second', min: 0, max: 59 },
  minute: { name: 'minute', min: 0, max: 59 },
  hour: { name: 'hour', min: 0, max: 23 },
  'day-of-month': { name: 'day-of-month', min: 1, max: 31 },
  month: { name: 'month', min: 1, max: 12, names: months },
  'day-of-week': { name: 'day-of-week', min: 0, max: 7, names: weekdays },
  year: { name: 'year', min: 1970, max: 2199 },
}

/** What one field allows. */
export interface Field {
  readonly text: string
  /** Starts with `*`, or is `?`: no restriction in the sense of vixie cron. */
  readonly star: boolean
  /** The plain values, as a set of bits counted from the field's smallest value (day-of-week: 0 is Sunday). */
  readonly set: BitSet
  /** `L` (0), `L-3` (3). */
  readonly last: readonly number[] | undefined
  /** `15W`. */
  readonly near: readonly number[] | undefined
  /** `LW` (0), `L-3W` (3). */
  readonly nearLast: readonly number[] | undefined
  /** `5#3` as [5, 3]; `5L` as [5, 0]. */
  readonly nth: readonly (readonly [number, number])[] | undefined
  /** Holds an `H`: the values depend on the seed. */
  readonly hashed: boolean
}

/** A set of small numbers, with a table of successors so that a look-up is one array access. */
export class BitSet {
  readonly min: number
  readonly max: number
  readonly #words: Uint32Array
  #next: Uint8Array | undefined

  constructor(min: number, max: number, values: Iterable<number>) {
    this.min = min
    this.max = max
    this.#words = new Uint32Array(((max - min) >>> 5) + 1)
    for (const value of values) {
      const bit = value - min
      this.#words[bit >>> 5] = (this.#words[bit >>> 5] as number) | (1 << (bit & 31))
    }
  }

  has(value: number): boolean {
    const bit = value - this.min
    return (
      value >= this.min && value <= this.max && ((this.#words[bit >>> 5] as number) & (1 << (bit & 31))) !== 0
    )
  }

  values(): number[] {
    const all: number[] = []
    for (let value = this.min; value <= this.max; value++) if (this.has(value)) all.push(value)
    return all
  }

  /** The first 32 bits. */
  get word(): number {
    return this.#words[0] as number
  }

  /** For each bit (and one past the end) the first set bit not below it; one past the end if there is none. */
  get successors(): Uint8Array {
    if (!this.#next) {
      const size = this.max - this.min + 1
      const next = new Uint8Array(size + 1)
      next[size] = size
      for (let bit = size - 1; bit >= 0; bit--)
        next[bit] = this.has(bit + this.min) ? bit : (next[bit + 1] as number)
      this.#next = next
    }
    return this.#next
  }
}

/** A parsed expression. */
export interface Fields {
  readonly second: Field
  readonly minute: Field
  readonly hour: Field
  readonly dayOfMonth: Field
  readonly month: Field
  readonly dayOfWeek: Field
  /** Absent, or `*`: every year, also those beyond 2199. */
  readonly year: Field | undefined
  /** Second, minute or hour starts with `*`: follows elapsed time (vixie cron's rule). */
  readonly followsElapsedTime: boolean
  /** Holds an `H`. */
  readonly hashed: boolean
}
