import { EscapementError } from '@escapement/core'

/** @throws ERR_ESCAPEMENT_OPTION */
export function whole(option: string, given: unknown, min: number): number {
  if (!Number.isSafeInteger(given) || (given as number) < min)
    refuse(option, `a whole number of at least ${min}`, given)
  return given as number
}

export function refuse(option: string, expected: string, given: unknown): never {
  const shown =
    typeof given === 'string'
      ? JSON.stringify(given)
      : typeof given === 'object'
        ? 'an object'
        : String(given)
  throw new EscapementError(
    'ERR_ESCAPEMENT_OPTION',
    `${option} must be ${expected}, but is ${given === null ? 'null' : shown}`,
  )
}
