import { EscapementError } from '../errors.ts'
import { crypto } from '../util/crypto.ts'

/** How long the key of a request is known, in ms. */
export const KEY_MS = 86_400_000

/** The same for two requests with the same data, whatever it is made of. */
export function digestOf(data: unknown): string {
  const bytes = process.getBuiltinModule('node:v8').serialize(data)
  return crypto().createHash('sha256').update(bytes).digest('base64')
}

/** Data as it was given, whatever a clone can hold: a Date, a Map. Plain data stays readable in JSON. */
export function encodeData(data: unknown): unknown {
  const v8 = process.getBuiltinModule('node:v8')
  const bytes = v8.serialize(data)
  const json = JSON.stringify(data)
  if (json !== undefined && v8.serialize(JSON.parse(json)).equals(bytes)) return { json: data }
  return { v8: bytes.toString('base64') }
}

/** The data that `encodeData()` has made JSON of. */
export function decodeData(encoded: unknown): unknown {
  const { json, v8 } = encoded as { json?: unknown; v8?: string }
  return v8 === undefined ? json : process.getBuiltinModule('node:v8').deserialize(Buffer.from(v8, 'base64'))
}

export function queueFull(job: string, max: number): EscapementError {
  const message = `${max} requests for runs of ${job} wait: further ones are refused`
  return new EscapementError('ERR_ESCAPEMENT_QUEUE_FULL', message)
}

export function keyReused(job: string, key: string): EscapementError {
  const message = `a run of ${job} was asked for with the key ${JSON.stringify(key)} and other data: use another key`
  return new EscapementError('ERR_ESCAPEMENT_KEY_REUSED', message)
}
