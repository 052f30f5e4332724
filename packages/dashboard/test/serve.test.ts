import type { FetchHandler, RequestInfo } from '@escapement/http'
import { describe, expect, test } from 'vitest'
import { servePage } from '../src/index.ts'

const api: FetchHandler = (request, { base }) => Response.json({ base, path: new URL(request.url).pathname })
const page = servePage(api)

async function get(path: string, headers: Record<string, string> = {}, base = '/ops'): Promise<Response> {
  const info: RequestInfo = { base, peer: undefined, body: undefined }
  return page(new Request(`http://app.test${path}`, { headers }), info)
}

describe('the page', () => {
  test('has an index that names its files by relative URLs, and nothing inline', async () => {
    const html = await (await get('/ops/')).text()
    const urls = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url)
    expect(urls).toHaveLength(3)
    for (const url of urls) {
      expect(url).toMatch(/^assets\/[\w-]+-[A-Z0-9]{8}\.(js|css|svg)$/)
      expect((await get(`/ops/${url}`)).status).toBe(200)
    }
    expect(html).not.toMatch(/<style|style=|<script>|\son\w+=/)
  })

  test('sends a policy that allows files of its own origin only', async () => {
    const policy = (await get('/ops/')).headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/^default-src 'none'; /)
    for (const part of policy.split('; ')) expect(part).toMatch(/ '(none|self)'$/)
  })

  test('is 100 kB compressed at most, all files together', async () => {
    const html = await (await get('/ops/')).text()
    let size = html.length
    for (const [, url] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const body = await (await get(`/ops/${url}`, { 'accept-encoding': 'gzip' })).arrayBuffer()
      size += body.byteLength
    }
    expect(size).toBeLessThan(100_000)
  })

  test('answers with 304 to a browser that has it, for each encoding apart', async () => {
    const first = await get('/ops/', { 'accept-encoding': 'gzip, br' })
    expect(first.headers.get('content-encoding')).toBe('br')
    const etag = first.headers.get('etag') ?? ''
    expect((await get('/ops/', { 'accept-encoding': 'br', 'if-none-match': etag })).status).toBe(304)
    expect((await get('/ops/', { 'accept-encoding': 'br;q=0', 'if-none-match': etag })).status).toBe(200)
  })

  test.each([
    ['/ops', '/ops', './ops/'],
    ['/ops?a=b', '/ops', './ops/?a=b'],
    ['/deep/ops', '/deep/ops', './ops/'],
  ])(
    'without the slash at its end, %s leads to the page by a relative address',
    async (path, base, location) => {
      const response = await get(path, {}, base)
      expect(response.status).toBe(308)
      expect(response.headers.get('location')).toBe(location)
      const there = new URL(location, `http://app.test${path}`)
      expect(there.pathname).toBe(`${base}/`)
    },
  )

  test('gives the API its own base', async () => {
    expect(await (await get('/ops/api/v1/jobs')).json()).toEqual({
      base: '/ops/api/v1',
      path: '/ops/api/v1/jobs',
    })
    expect((await get('/ops/api/v10')).status).toBe(404)
  })

  test('gives no other file and takes no other method', async () => {
    expect((await get('/ops/assets/../package.json')).status).toBe(404)
    const info: RequestInfo = { base: '/ops', peer: undefined, body: undefined }
    const posted = await page(new Request('http://app.test/ops/', { method: 'POST' }), info)
    expect(posted.status).toBe(405)
  })
})
