import { Refusal } from './problem.ts'

/** The most entries of a page. */
export const MAX_LIMIT = 2_000
const DEFAULT_LIMIT = 50

/** A bad parameter of a request. */
export function bad(name: string, expected: string): never {
  throw new Refusal(400, 'BAD_PARAMETER', `the parameter ${name} must be ${expected}`)
}

/** Parameters of a request, read once. Those that are not known are refused: a typo would give everything. */
export class Query {
  readonly #params: URLSearchParams

  constructor(url: URL, known: readonly string[]) {
    this.#params = url.searchParams
    for (const name of this.#params.keys())
      if (!known.includes(name) && name !== 'token')
        throw new Refusal(
          400,
          'BAD_PARAMETER',
          `there is no parameter ${JSON.stringify(name)} here: ${known.join(', ') || 'there is none'}`,
        )
  }

  text(name: string, most = 200): string | undefined {
    const value = this.#params.get(name)
    if (value === null || value === '') return undefined
    return value.length > most ? bad(name, `at most ${most} characters`) : value
  }

  /** Several, given again and again or with commas. */
  list(name: string, known: readonly string[]): string[] | undefined {
    const values = this.#params
      .getAll(name)
      .flatMap((value) => value.split(','))
      .filter((value) => value !== '')
    for (const value of values) if (!known.includes(value)) bad(name, `of ${known.join(', ')}`)
    return values.length === 0 ? undefined : values
  }

  instant(name: string): Date | undefined {
    const value = this.text(name, 40)
    if (value === undefined) return undefined
    const at = /^-?\d{1,16}$/.test(value) ? new Date(Number(value)) : new Date(value)
    return Number.isNaN(at.getTime()) ? bad(name, 'an instant in ISO 8601, or ms since 1970') : at
  }

  integer(name: string, { most, fallback }: { most: number; fallback: number }): number {
    const value = this.text(name, 12)
    if (value === undefined) return fallback
    const number = Number(value)
    return Number.isInteger(number) && number >= 1 && number <= most
      ? number
      : bad(name, `a number from 1 to ${most}`)
  }

  limit(): number {
    return this.integer('limit', { most: MAX_LIMIT, fallback: DEFAULT_LIMIT })
  }

  choice<T extends string>(name: string, known: readonly T[]): T | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    return known.includes(value as T) ? (value as T) : bad(name, `one of ${known.join(', ')}`)
  }
}

/** Only what is given. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
