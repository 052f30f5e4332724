import { EscapementError } from '@escapement/core'
import { cut, describe } from '@escapement/core/plugin'
import type { ProblemBody } from './types.ts'

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  421: 'Wrong host',
  422: 'Cannot be done with this input',
  429: 'Too many',
  500: 'Internal error',
  503: 'Not available now',
}

/** Headers of every answer: it is kept nowhere, shown in no frame, and read as nothing else. */
export const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** What keeps a request from being answered. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** The answer to what went wrong. It shows nothing of a fault of the server. */
export function problem(error: unknown): Response {
  const { status, code, detail } = factsOf(error)
  const body: ProblemBody = {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail: cut(detail, 1_000),
    code,
  }
  const own = error instanceof Refusal ? error.headers : {}
  const headers = { ...HEADERS, ...own, 'content-type': 'application/problem+json' }
  return new Response(JSON.stringify(body), {
    status,
    headers: status === 503 ? { ...headers, 'retry-after': '5' } : headers,
  })
}

function factsOf(error: unknown): { status: number; code: string; detail: string } {
  if (error instanceof Refusal) return { status: error.status, code: error.code, detail: error.message }
  if (error instanceof EscapementError) {
    const { code, message } = error
    return { status: error.status ?? (isInput(code) ? 400 : 503), code, detail: message }
  }
  // A store that cannot be asked.
  return { status: 503, code: 'ERR_ESCAPEMENT_UNAVAILABLE', detail: describe(error).message }
}

function isInput(code: string): boolean {
  return ['OPTION', 'CRON', 'TIMEZONE', 'DURATION', 'TRIGGER'].some(
    (name) => code === `ERR_ESCAPEMENT_${name}`,
  )
}
