import { createHash } from 'node:crypto'
import type { AuditAction, Scheduler } from '@escapement/core'
import { describe } from '@escapement/core/plugin'
import type { FetchHandler, RequestInfo } from '@escapement/http'
import type { Identity } from './auth/auth.ts'
import { checkHost, checkOrigin } from './auth/origin.ts'
import type { Call } from './call.ts'
import { Events } from './events.ts'
import { documentOf } from './openapi.ts'
import { type AdminOptions, parseOptions, type Settings } from './options.ts'
import { HEADERS, problem, Refusal } from './problem.ts'
import { match } from './router.ts'
import { type Route, routesOf } from './routes.ts'

/** The most refused actions that are written to the audit in a minute. */
const MAX_REFUSED = 60
const MINUTE_MS = 60_000

/** The HTTP API of a scheduler. */
export interface Admin extends FetchHandler {
  /** The random token that everyone needs who was given no `auth`; undefined with `auth`. */
  readonly token: string | undefined
  /** The cookie that stands for the token of the link from then on; undefined for a request without the link's token. */
  cookie(request: Request): string | undefined
}

/**
 * The HTTP API of a scheduler, as one fetch handler: what there is and what happened, runs on request, pauses, live events.
 * Everything lies below `api/v1/` of wherever it is mounted; `api/v1/openapi.json` describes it.
 *
 * @throws ERR_ESCAPEMENT_OPTION, also when `auth` is missing in production
 *
 * @example
 * app.use('/jobs', toNode(admin(scheduler, { auth: tokenAuth({ [process.env.JOBS_TOKEN]: { actor: 'ops', role: 'operator' } }) })))
 */
export function admin(scheduler: Scheduler, options: AdminOptions = {}): Admin {
  const settings = parseOptions(scheduler, options)
  const events = new Events(scheduler)
  let document: unknown
  const routes: readonly Route[] = routesOf(events, () => (document ??= documentOf(routes, settings.title)))
  const refused = { count: 0, since: 0 }
  if (settings.link) {
    const line = `admin: open it with ?token=${settings.link.token} (set the option auth for production)`
    scheduler.on('start', () => scheduler.log.warn({}, line))
  }
  const handler = async (request: Request, info: RequestInfo): Promise<Response> => {
    try {
      return await answer({ scheduler, settings, routes }, request, info)
    } catch (error) {
      noteRefused(scheduler, request, error, refused)
      return problem(error)
    }
  }
  const cookie = (request: Request) => settings.link?.cookie(request)
  return Object.assign(handler, { token: settings.link?.token, cookie })
}

interface Parts {
  readonly scheduler: Scheduler
  readonly settings: Settings
  readonly routes: readonly Route[]
}

async function answer(
  { scheduler, settings, routes }: Parts,
  request: Request,
  info: RequestInfo,
): Promise<Response> {
  checkHost(request, settings.hosts)
  const url = new URL(request.url)
  const { route, params } = match(routes, request.method, url.pathname)
  const identity = await identify({ scheduler, settings }, request, info)
  if (identity instanceof Response) return identity
  checkIdentity(identity, route)
  if (route.method !== 'GET') checkOrigin(request)
  const call: Call = {
    scheduler,
    settings,
    identity,
    request,
    url,
    params,
    lang: langOf(request),
    parsed: info.body,
  }
  const result = await route.handle(call)
  const response = result instanceof Response ? result : json(request, url, result, route.status)
  const cookie = settings.link?.cookie(request)
  if (cookie !== undefined) response.headers.append('set-cookie', cookie)
  return response
}

/** Asks `auth`. The log has the error of one that throws: the answer goes to strangers. */
async function identify(
  { scheduler, settings }: Pick<Parts, 'scheduler' | 'settings'>,
  request: Request,
  { peer }: RequestInfo,
): Promise<Identity | Response | undefined> {
  try {
    return await settings.auth(request, { peer })
  } catch (error) {
    if (error instanceof Refusal) throw error
    scheduler.log.error({ err: error }, `admin: auth failed: ${describe(error).message}`)
    throw new Refusal(503, 'AUTH_FAILED', 'it cannot be told now who asks')
  }
}

function checkIdentity(identity: Identity | undefined, route: Route): asserts identity is Identity {
  if (!identity)
    throw new Refusal(401, 'NOT_SIGNED_IN', 'this needs a token or a sign-in', {
      'www-authenticate': 'Bearer realm="jobs"',
    })
  if (route.role === 'operator' && identity.role !== 'operator')
    throw new Refusal(403, 'NOT_ALLOWED', 'this needs the role operator')
}

/** A list says in `link` where its pages are, and each answer by its `etag` whether it has changed. */
function json(request: Request, url: URL, body: unknown, status: number): Response {
  const text = JSON.stringify(body)
  const etag = `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  const headers = new Headers({ ...HEADERS, 'content-type': 'application/json; charset=utf-8', etag })
  const link = linksOf(url, body as { next?: unknown; previous?: unknown })
  if (link !== '') headers.set('link', link)
  if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers })
  return new Response(request.method === 'HEAD' ? null : text, { status, headers })
}

function linksOf(url: URL, { next, previous }: { next?: unknown; previous?: unknown }): string {
  const to = (name: 'before' | 'after', cursor: string) => {
    const params = new URLSearchParams(url.searchParams)
    for (const old of ['before', 'after', 'token']) params.delete(old)
    params.set(name, cursor)
    return `<?${params}>`
  }
  const links: string[] = []
  if (typeof next === 'string' && !url.pathname.endsWith('/logs'))
    links.push(`${to('before', next)}; rel="next"`)
  if (typeof previous === 'string') links.push(`${to('after', previous)}; rel="prev"`)
  return links.join(', ')
}

function langOf(request: Request): 'en' | 'zh' {
  const first = (request.headers.get('accept-language') ?? '').split(',')[0] ?? ''
  return /^zh\b/i.test(first.trim()) ? 'zh' : 'en'
}

/** An attempt to change something that was refused before the scheduler saw it. */
function noteRefused(
  scheduler: Scheduler,
  request: Request,
  error: unknown,
  refused: { count: number; since: number },
): void {
  if (request.method === 'GET' || request.method === 'HEAD' || !(error instanceof Refusal)) return
  if (error.status !== 401 && error.status !== 403) return
  const now = performance.now()
  if (now - refused.since > MINUTE_MS) {
    refused.count = 0
    refused.since = now
  }
  if (refused.count++ >= MAX_REFUSED) return
  const { pathname } = new URL(request.url)
  const action: AuditAction = 'entered'
  const entry = { action, reason: `${request.method} ${pathname.slice(0, 300)}`, refused: error.message }
  scheduler.noteAudit(entry).catch(() => {})
}
