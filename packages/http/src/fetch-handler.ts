import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'

/** What a handler gets beside the request. */
export interface RequestInfo {
  /** The path it is mounted under, without a slash at the end. */
  readonly base: string
  /** The address of the other end of the connection. */
  readonly peer: string | undefined
  /** What a body parser made of the body, if one came before. */
  readonly body: unknown
}

/** Answers a request. The same for every framework. */
export type FetchHandler = (request: Request, info: RequestInfo) => Response | Promise<Response>

type Incoming = IncomingMessage & { originalUrl?: string; baseUrl?: string; body?: unknown }

/**
 * Makes a `(req, res)` handler of a fetch handler: for Express, Connect or `http.createServer`.
 *
 * @example
 * app.get('/healthz', toNode(health(scheduler)))
 */
export function toNode(handler: FetchHandler): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  return async (req, res) => {
    const response = await answer(handler, req)
    res.statusCode = response.status
    for (const [name, value] of response.headers) res.appendHeader(name, value)
    // A client that goes away ends a stream: that is no fault.
    const gone = () => res.destroy()
    if (response.body) await pipeline(Readable.fromWeb(response.body as ReadableStream), res).catch(gone)
    else res.end()
  }
}

/** Asks a fetch handler for its answer to a request of Node. A request that is none is answered with 400. */
export async function answer(handler: FetchHandler, req: Incoming): Promise<Response> {
  const method = req.method ?? 'GET'
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers)) {
    if (!name.startsWith(':')) for (const each of [value ?? []].flat()) headers.append(name, each)
  }
  const scheme = 'encrypted' in req.socket ? 'https' : 'http'
  const host = req.headers.host ?? req.headers[':authority'] ?? 'localhost'
  let request: Request
  try {
    const body = method === 'GET' || method === 'HEAD' || req.body !== undefined ? null : Readable.toWeb(req)
    const init = { method, headers, body, duplex: 'half' } as RequestInit
    request = new Request(new URL(req.originalUrl ?? req.url ?? '/', `${scheme}://${host}`), init)
  } catch {
    return new Response('bad request', { status: 400 })
  }
  return handler(request, { base: req.baseUrl ?? '', peer: req.socket.remoteAddress, body: req.body })
}
