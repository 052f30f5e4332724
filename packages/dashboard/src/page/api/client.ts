/** Relative to the page, so that any prefix works. */
const BASE = 'api/v1/'

/** An answer that was not a success, as RFC 9457 tells it. */
export interface Problem {
  readonly status: number
  readonly title: string
  readonly detail?: string
}

export class ApiError extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title)
    this.problem = problem
  }
}

/** A name as one segment of a path: a slash in it is written `~1`, a tilde `~0`, a dot of the names `.` and `..` `~2`. */
export function segment(name: string): string {
  // A URL takes these for the folder itself and the one above: `jobs/../pause` would pause all jobs.
  if (name === '.' || name === '..') return name.replaceAll('.', '~2')
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask(path, signal ? { signal } : {})) as T
}

/** Does something. The header tells the API that the request comes from its own page. */
export async function act(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
  const headers: Record<string, string> = { 'x-escapement-request': '1' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID()
  return ask(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
}

async function ask(path: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(BASE + path, { ...init, credentials: 'same-origin' })
  const text = await response.text()
  const body = text === '' ? undefined : parse(text)
  if (response.ok) return body
  const problem = (body ?? {}) as Partial<Problem>
  throw new ApiError({
    status: response.status,
    title: problem.title ?? response.statusText,
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const eventsUrl = `${BASE}events`
