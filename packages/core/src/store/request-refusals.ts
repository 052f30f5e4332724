import { EscapementError } from '../errors.ts'
import { crypto } from '../util/crypto.ts'

/** How long the key of a request is known, in ms. */
export const KEY_MS = 86_400_000

/** The same for two requests with the same data, whatever it is made of. */
export function digestOf(data: unknown): string {
  const bytes = process.getBuiltinModule('node:v8').serialize(data)
  return crypto().createHash('sha256').update(bytes).digest('base64')
}

export function queueFull(job: string, max: number): EscapementError {
  const message = `${max} requests for runs of ${job} wait: further ones are refused`
  return new EscapementError('ERR_ESCAPEMENT_QUEUE_FULL', message)
}

export function keyReused(job: string, key: string): EscapementError {
  const message = `a run of ${job} was asked for with the key ${JSON.stringify(key)} and other data: use another key`
  return new EscapementError('ERR_ESCAPEMENT_KEY_REUSED', message)
}
