import { EscapementError, show } from './errors.ts'

/** Refuses keys that are not options, with the nearest one that is. */
export function checkKeys(given: object, known: Readonly<Record<string, unknown>>, what: string): void {
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(known, key)) continue
    const near = nearest(key, Object.keys(known))
    const hint = near ? `did you mean ${near}?` : `expected one of ${Object.keys(known).join(', ')}`
    throw new EscapementError('ERR_ESCAPEMENT_OPTION', `there is no ${what} ${show(key)}: ${hint}`)
  }
}

/** The candidate that takes the fewest typing errors to get to, if these are few. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const scored = candidates.map((candidate) => ({
    candidate,
    typos: typos(word.toLowerCase(), candidate.toLowerCase()),
  }))
  const best = scored.sort((a, b) => a.typos - b.typos)[0]
  return best && best.typos <= Math.max(1, word.length / 3) ? best.candidate : undefined
}

/** Edit distance (Levenshtein 1966). */
function typos(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const swap = (row[j] as number) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(swap, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

export function fail(option: string, expected: string, given: unknown): never {
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', `${option} must be ${expected}, but is ${show(given)}`)
}

export function oneOf<const T extends string>(option: string, given: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(given as T)) fail(option, allowed.map((name) => `'${name}'`).join(' or '), given)
  return given as T
}

export function number(option: string, given: unknown, min: number, max: number): number {
  if (typeof given !== 'number' || !(given >= min && given <= max)) {
    fail(option, max === Infinity ? `a number of at least ${min}` : `a number from ${min} to ${max}`, given)
  }
  return given
}

export function text(option: string, given: unknown): string | undefined {
  if (given !== undefined && typeof given !== 'string') fail(option, 'a string', given)
  return given
}

// biome-ignore lint/suspicious/noExplicitAny: any function will do
export function func<T extends (...args: any[]) => unknown>(
  option: string,
  given: T | undefined,
): T | undefined {
  if (given !== undefined && typeof given !== 'function') fail(option, 'a function', given)
  return given
}

export function withMethod<T extends object>(
  option: string,
  given: T | undefined,
  method: keyof T & string,
): T | undefined {
  if (given !== undefined && typeof given?.[method] !== 'function') {
    fail(option, `an object with a method ${method}()`, given)
  }
  return given
}
