import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { type FetchHandler, toNode } from '../src/index.ts'

/** A real server with the handler on it. */
async function serve(handler: FetchHandler, prepare: (req: object) => void = () => {}) {
  const server = http.createServer((req, res) => {
    prepare(req)
    toNode(handler)(req, res).catch((error: Error) => res.writeHead(500).end(error.message))
  })
  await once(server.listen(0), 'listening')
  onTestFinished(() => void server.close())
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, server }
}

it('hands over method, address, headers and body, and sends back status, headers and body', async () => {
  const { url } = await serve(async (request, info) => {
    const told = { method: request.method, url: request.url, body: await request.text(), peer: info.peer }
    const headers = new Headers({ 'x-seen': request.headers.get('x-tag') ?? '' })
    headers.append('set-cookie', 'a=1')
    headers.append('set-cookie', 'b=2')
    return Response.json(told, { status: 201, headers })
  })
  const response = await fetch(`${url}/a?b=1`, { method: 'POST', body: 'hello', headers: { 'x-tag': 'yes' } })
  expect(response.status).toBe(201)
  expect(response.headers.get('x-seen')).toBe('yes')
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  const told = (await response.json()) as Record<string, string>
  expect(told).toMatchObject({ method: 'POST', url: `${url}/a?b=1`, body: 'hello' })
  expect(told.peer).toMatch(/127\.0\.0\.1|::1/)
})

it('uses the address before routers cut it, the path they cut, and a body that was read before', async () => {
  const { url } = await serve(
    (request, info) =>
      Response.json({ path: new URL(request.url).pathname, base: info.base, body: info.body }),
    (req) =>
      Object.assign(req, { originalUrl: '/jobs/list', url: '/list', baseUrl: '/jobs', body: { a: 1 } }),
  )
  const response = await fetch(`${url}/jobs/list`, { method: 'POST', body: '{"a":1}' })
  expect(await response.json()).toEqual({ path: '/jobs/list', base: '/jobs', body: { a: 1 } })
})

it('sends streams, empty answers, and no body for HEAD', async () => {
  const parts = () => new Blob(['part']).stream()
  const { url } = await serve((request) =>
    request.url.endsWith('/empty') ? new Response(null, { status: 204 }) : new Response(parts()),
  )
  expect(await (await fetch(url)).text()).toBe('part')
  expect((await fetch(`${url}/empty`)).status).toBe(204)
  expect(await (await fetch(url, { method: 'HEAD' })).text()).toBe('')
})

it('answers what is no request with 400, and leaves errors of the handler to the framework', async () => {
  const { url, server } = await serve(() => {
    throw new Error('broken')
  })
  const failed = await fetch(url)
  expect([failed.status, await failed.text()]).toEqual([500, 'broken'])
  const { port } = server.address() as AddressInfo
  const request = http.request({ port, headers: { host: 'a b:c' } }).end()
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  expect(response.statusCode).toBe(400)
  response.resume()
})
