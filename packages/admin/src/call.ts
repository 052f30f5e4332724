import type { Scheduler } from '@escapement/core'
import type { Identity } from './auth/auth.ts'
import type { Settings } from './options.ts'
import { Refusal } from './problem.ts'
import { Query } from './query.ts'

/** The most bytes of a body. */
const MAX_BODY = 64 * 1024

/** A request that is let in, as a route sees it. */
export interface Call {
  readonly scheduler: Scheduler
  readonly settings: Settings
  readonly identity: Identity
  readonly request: Request
  readonly url: URL
  /** What stands for the names in the path of the route. */
  readonly params: Readonly<Record<string, string>>
  /** The language of words. */
  readonly lang: 'en' | 'zh'
  /** What a body parser before us made of the body. */
  readonly parsed: unknown
}

/** The parameters of a call, those of the route only. */
export function queryOf({ url }: Call, known: readonly string[]): Query {
  return new Query(url, known)
}

/** The job may be seen. */
export function maySee({ identity }: Pick<Call, 'identity'>, job: string): boolean {
  // A promise is no yes: an async predicate would show all jobs.
  return identity.jobs === undefined || identity.jobs(job) === true
}

/**
 * What a request brings as JSON; undefined when it brings nothing.
 *
 * @throws Refusal
 */
export async function bodyOf({ request, parsed }: Call): Promise<unknown> {
  if (parsed !== undefined) return isEmpty(parsed) ? undefined : parsed
  const text = await readText(request)
  if (text.trim() === '') return undefined
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(request.headers.get('content-type') ?? ''))
    throw new Refusal(415, 'NOT_JSON', 'the body must be JSON, with content-type: application/json')
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'BAD_JSON', 'the body cannot be read as JSON')
  }
}

/** As `bodyOf()`, for a body that is an object with some of these fields. */
export async function fieldsOf(
  call: Call,
  known: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const body = (await bodyOf(call)) ?? {}
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refusal(422, 'BAD_BODY', 'the body must be an object')
  for (const name of Object.keys(body))
    if (!known.includes(name))
      throw new Refusal(422, 'BAD_BODY', `there is no field ${JSON.stringify(name)}: ${known.join(', ')}`)
  return body as Readonly<Record<string, unknown>>
}

/** A body parser makes an empty object of no body. */
function isEmpty(parsed: unknown): boolean {
  return typeof parsed === 'object' && parsed !== null && Object.keys(parsed).length === 0
}

async function readText(request: Request): Promise<string> {
  const length = Number(request.headers.get('content-length') ?? 0)
  if (length > MAX_BODY) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > MAX_BODY) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function tooLarge(): Refusal {
  return new Refusal(413, 'TOO_LARGE', `a body has at most ${MAX_BODY} bytes`)
}
