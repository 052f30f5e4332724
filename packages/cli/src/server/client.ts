import { UsageError } from '../settings.ts'

/** An answer is waited for so long, in ms. */
const ANSWER_MS = 30_000

/** Where the API of a scheduler is, and who asks. */
export interface Server {
  /** Ends in `/api/v1/`. */
  readonly root: string
  readonly authorization: string | undefined
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  /** JSON. */
  readonly body?: string
}

/** The server refused (exit code 1), or could not answer (3). */
export class ServerError extends Error {
  readonly exit: 1 | 3

  constructor(exit: 1 | 3, message: string) {
    super(message)
    this.exit = exit
  }
}

/** The server of the options, else of the environment. */
export function serverOf(url: string | undefined, token: string | undefined): Server {
  const address = url ?? process.env.ESCAPEMENT_URL
  if (!address)
    throw new UsageError('--url is missing: where the API is mounted, e.g. --url http://localhost:3000/jobs')
  const parsed = URL.canParse(address) ? new URL(address) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw new UsageError('--url: expected an address such as http://localhost:3000/jobs')
  const given = token ?? process.env.ESCAPEMENT_TOKEN
  const bearer = given ? `Bearer ${given}` : undefined
  if (bearer && !/^[\x21-\x7e]+ [\x21-\x7e]+$/.test(bearer))
    throw new UsageError('--token: expected a text without spaces')
  const prefix = parsed.pathname.replace(/\/(api\/v1\/?)?$/, '')
  return { root: `${parsed.origin}${prefix}/api/v1/`, authorization: bearer ?? basicOf(parsed) }
}

/** `https://ann:secret@jobs.example.org` signs in by name and password. */
function basicOf({ username, password }: URL): string | undefined {
  if (username === '') return undefined
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(text).toString('base64')}`
}

/**
 * One request.
 *
 * @returns The JSON of the answer; undefined when it has none.
 * @throws ServerError
 */
export async function ask<T = unknown>(server: Server, path: string, asked: Ask = {}): Promise<T> {
  const response = await send(server, path, asked)
  const text = await response.text().catch(() => unreachable(server))
  const body = parsed(text)
  if (response.ok && (text === '' || body !== undefined)) return body as T
  throw refusal(response, body as Problem | undefined)
}

async function send(server: Server, path: string, { method = 'GET', query, headers, body }: Ask) {
  const url = new URL(path, server.root)
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) url.searchParams.set(name, value)
  const init: RequestInit = {
    method,
    // A redirect leads to the page of a login, which says nothing to a program.
    redirect: 'manual',
    signal: AbortSignal.timeout(ANSWER_MS),
    headers: {
      accept: 'application/json',
      'x-escapement-request': '1',
      ...(server.authorization !== undefined && { authorization: server.authorization }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  }
  return await fetch(url, init).catch((error) => unreachable(server, error))
}

interface Problem {
  readonly detail?: unknown
  readonly code?: unknown
}

function refusal(response: Response, problem: Problem | undefined): ServerError {
  const { status } = response
  if (typeof problem?.detail === 'string' && typeof problem.code === 'string')
    return new ServerError(status >= 500 ? 3 : 1, `${problem.detail} [${problem.code}]`)
  if (status === 401 || (status >= 300 && status < 400))
    return new ServerError(1, `the server does not let this in (${status}): is --token right?`)
  if (status === 403) return new ServerError(1, 'the server does not allow this (403)')
  const hint = 'is --url where admin() is mounted?'
  return new ServerError(status >= 500 ? 3 : 1, `the answer (${status}) is not of the API: ${hint}`)
}

function unreachable({ root }: Server, error?: unknown): never {
  const { name, cause } = (error ?? {}) as { name?: string; cause?: { code?: string } }
  const why = name === 'TimeoutError' ? `no answer in ${ANSWER_MS / 1_000} s` : (cause?.code ?? 'no answer')
  throw new ServerError(3, `${root} cannot be reached: ${why}`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A name as one segment of a path. */
export function segmentOf(name: string): string {
  // A URL takes these for the folder itself and the one above: `jobs/../pause` would pause all jobs.
  if (name === '.' || name === '..') return name.replaceAll('.', '~2')
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
}
