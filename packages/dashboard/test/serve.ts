import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type FetchHandler, toNode } from '@escapement/http'

/** A server of a fetch handler under a prefix. */
export async function serve(handler: FetchHandler, port = 0, prefix = '/ops/jobs') {
  const node = toNode((request, info) => {
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith(prefix)) return new Response(null, { status: 404 })
    return handler(request, { ...info, base: prefix })
  })
  const server: Server = createServer((req, res) => {
    // A browser that goes away ends a stream of events early.
    node(req, res).catch(() => res.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}${prefix}/`,
    port: address.port,
    close() {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
