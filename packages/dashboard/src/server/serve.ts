import type { FetchHandler } from '@escapement/http'
import { type Asset, assets, type Encoding } from './assets.ts'

/** What the browser may load: files of this origin, and nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
}

/** Under this path of the page its API answers. */
const API = '/api/v1'

/**
 * Serves the page, and the API under `api/v1/` of the same prefix. A handler of the API sees its own base.
 *
 * @param api Answers what the page asks for.
 * @example
 * app.use('/jobs', toNode(servePage(api)))
 */
export function servePage(api: FetchHandler): FetchHandler {
  let files: ReadonlyMap<string, Asset> | undefined
  return (request, info) => {
    const path = new URL(request.url).pathname.slice(info.base.length)
    if (path === API || path.startsWith(`${API}/`)) return api(request, { ...info, base: info.base + API })
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, { allow: 'GET, HEAD' })
    if (path === '') return plain(308, { location: directory(request) })
    files ??= assets()
    const asset = files.get(path.slice(1))
    return asset ? send(asset, request) : plain(404)
  }
}

/** The same address with a slash at its end, relative: what a proxy has taken off the path stays on. */
function directory(request: Request): string {
  const { pathname, search } = new URL(request.url)
  return `./${pathname.slice(pathname.lastIndexOf('/') + 1)}/${search}`
}

function send(asset: Asset, request: Request): Response {
  const encoding = encodingFor(request.headers.get('accept-encoding') ?? '')
  const etag = `"${asset.etag}-${encoding}"`
  const headers = new Headers({
    ...HEADERS,
    etag,
    vary: 'accept-encoding',
    'content-type': asset.type,
    'cache-control': asset.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  })
  const known = request.headers.get('if-none-match')?.split(/,\s*/) ?? []
  if (known.includes(etag) || known.includes(`W/${etag}`)) return new Response(null, { status: 304, headers })
  const body = asset.body(encoding)
  if (encoding !== 'identity') headers.set('content-encoding', encoding)
  headers.set('content-length', String(body.byteLength))
  return new Response(request.method === 'HEAD' ? null : body, { headers })
}

function encodingFor(accepted: string): Encoding {
  const named = accepted.split(',').map((each) => each.trim().toLowerCase())
  const takes = (name: string) =>
    named.some((each) => each === name || each.startsWith(`${name};q=0.`) || each.startsWith(`${name};q=1`))
  const refuses = (name: string) => named.some((each) => /;q=0(\.0*)?$/.test(each) && each.startsWith(name))
  for (const name of ['br', 'gzip'] as const) if (takes(name) && !refuses(name)) return name
  return 'identity'
}

function plain(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers: { ...HEADERS, 'cache-control': 'no-store', ...headers } })
}
