import type { AddressInfo } from 'node:net'
import { admin, segmentOf } from '@escapement/admin'
import { createScheduler, every, manual, memoryStore, type Scheduler } from '@escapement/core'
import { toNode } from '@escapement/http'
import { Ajv2020 } from 'ajv/dist/2020.js'
import express from 'express'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const OWN = { 'x-escapement-request': '1' }
const ODD = 'reports/käse 100% ~1 日本 🧀'

let scheduler: Scheduler
let handler: ReturnType<typeof admin>
let documented: Document

interface Document {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
  >
  components: { schemas: object }
}

beforeEach(async () => {
  scheduler = createScheduler({ logger: quiet, timezone: 'UTC' })
  scheduler.job('fine', every('1h'), { group: 'g', description: 'does well' }, () => ({ ok: true }))
  scheduler.job('bad', manual(), (run) => {
    run.log.warn({ secret: 1 }, 'about to fail')
    throw new Error('no such file')
  })
  scheduler.job(ODD, '0 9 * * MON-FRI', { timezone: 'Asia/Shanghai' }, () => {})
  await scheduler.start()
  handler = admin(scheduler)
  documented = (await (await ask('GET', 'openapi.json')).json()) as Document
})
afterEach(() => scheduler.stop())

function ask(
  method: string,
  path: string,
  { headers = {}, body }: { headers?: object; body?: unknown } = {},
) {
  const init = {
    method,
    headers: {
      authorization: `Bearer ${handler.token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  }
  const request = new Request(`http://localhost/jobs/api/v1/${path}`, init)
  return handler(request, { base: '/jobs', peer: '127.0.0.1', body: undefined })
}

/** Asks, and checks the answer against the document. */
async function checked(method: string, path: string, options?: Parameters<typeof ask>[2]) {
  const response = await ask(method, path, options)
  const template = Object.keys(documented.paths).find((one) => {
    const pattern = one
      .slice(1)
      .replace(/\{\w+\}/g, '[^/]+')
      .replaceAll('.', '\\.')
    return (
      new RegExp(`^${pattern}$`).test(path.split('?')[0] as string) &&
      documented.paths[one]?.[method.toLowerCase()]
    )
  })
  const text = await response.clone().text()
  const operation = documented.paths[template ?? '']?.[method.toLowerCase()]
  const answer = operation?.responses[response.status]
  expect(answer, `${method} ${path} ${response.status} is in the document: ${text}`).toBeDefined()
  const [type] = (response.headers.get('content-type') ?? '').split(';')
  const schema = answer?.content?.[type as string]?.schema
  if (text !== '' && /json/.test(type as string)) {
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    const valid = ajv.compile({ ...schema, components: documented.components })
    expect(
      valid(JSON.parse(text)) || ajv.errorsText(valid.errors),
      `${method} ${path}: ${text.slice(0, 300)}`,
    ).toBe(true)
  }
  expect(response.headers.get('cache-control')).toContain('no-store')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : parsed(text) }
}

function noLink(_id: string): never {
  throw new Error('no link')
}

// biome-ignore lint/suspicious/noExplicitAny: any body
function parsed(text: string): any {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

describe('reads', () => {
  test('a run has the link to its trace', async () => {
    const traced = createScheduler({
      logger: quiet,
      plugins: [
        {
          name: 'tracer',
          hooks: {
            run: (run, next) => {
              run.traceId = 'abc'
              return next()
            },
          },
        },
      ],
    })
    traced.job('traced', manual(), () => {})
    await traced.start()
    await traced.run('traced', undefined, { wait: true })
    handler = admin(traced, { traceUrl: (id) => `https://jaeger.example/${id}` })
    const { body } = await checked('GET', 'runs')
    expect(body.items[0]).toMatchObject({ traceId: 'abc', traceUrl: 'https://jaeger.example/abc' })
    handler = admin(traced, { traceUrl: noLink })
    const without = await checked('GET', 'runs')
    expect(without.body.items[0].traceUrl).toBeUndefined()
    await traced.stop()
  })

  test('the overview tells in one answer how things stand', async () => {
    await scheduler.run('bad', undefined, { wait: true })
    await scheduler.run('fine', undefined, { wait: true })
    const { body } = await checked('GET', 'overview')
    expect(body.verdict).toMatchObject({
      level: 'bad',
      jobs: 3,
      failing: 1,
      overdue: 0,
      paused: 0,
      runs: 2,
      failures: 1,
    })
    expect(body.failing).toMatchObject([{ job: 'bad', error: 'no such file' }])
    expect(body).toMatchObject({
      timezone: 'UTC',
      scope: { shared: false, durable: false },
      role: 'operator',
      actor: 'developer',
      today: { succeeded: 1, failed: 1 },
    })
    expect(body.next[0].job).toBe('fine')
    const ticks = (await checked('GET', 'upcoming?limit=1000')).body.items
    expect(ticks.filter(({ job }: { job: string }) => job === 'fine')).toHaveLength(12)
  })

  test('a job that failed before the start is failing, with its older runs', async () => {
    const store = memoryStore()
    const plugins = [{ name: 'kept', store: { ...store, durable: true } }]
    const boot = async () => {
      const next = createScheduler({ logger: quiet, timezone: 'UTC', plugins })
      next.job('bad', manual(), () => {
        throw new Error('no such file')
      })
      await next.start()
      return next
    }
    const before = await boot()
    await before.run('bad', undefined, { wait: true })
    await before.stop()
    await scheduler.stop()
    scheduler = await boot()
    handler = admin(scheduler)
    const { items } = (await checked('GET', 'jobs')).body
    expect(items).toMatchObject([
      { failing: true, last: { outcome: 'failed' }, recent: [{ outcome: 'failed' }] },
    ])
  })

  test('the ticks of a job of seconds reach the end of the timeline', async () => {
    scheduler.job('often', every('5s'), () => {})
    const until = Date.now() + 12 * 3_600_000
    const path = `upcoming?limit=10000&until=${new Date(until).toISOString()}`
    const items: { job: string; at: string }[] = (await checked('GET', path)).body.items
    const often = items.filter(({ job }) => job === 'often')
    expect(until - Date.parse(often.at(-1)?.at ?? '')).toBeLessThan(10 * 60_000)
    expect(often.length).toBeLessThan(1_000)
  })

  test('jobs, by state, text and page', async () => {
    await scheduler.run('bad', undefined, { wait: true })
    await scheduler.pause('fine', { by: 'ann' })
    expect((await checked('GET', 'jobs')).body.items.map(({ name }: { name: string }) => name)).toEqual([
      'bad',
      'fine',
      ODD,
    ])
    expect((await checked('GET', 'jobs?state=paused')).body.items).toMatchObject([
      { name: 'fine', paused: { by: 'ann' } },
    ])
    expect((await checked('GET', 'jobs?state=failing')).body.items).toMatchObject([{ name: 'bad' }])
    expect((await checked('GET', 'jobs?text=does')).body.items).toMatchObject([{ name: 'fine' }])
    const first = await checked('GET', 'jobs?limit=2')
    expect(first.headers.get('link')).toBe('<?limit=2&before=fine>; rel="next"')
    expect((await checked('GET', `jobs?limit=2&before=${first.body.next}`)).body.items).toMatchObject([
      { name: ODD },
    ])
  })

  test('a job of any name, with its schedule in the words of the language', async () => {
    const path = `jobs/${segmentOf(ODD)}`
    expect((await checked('GET', path)).body).toMatchObject({
      name: ODD,
      words: { en: 'At 09:00, Monday through Friday', zh: '在09:00, 星期一至星期五' },
    })
    const { body } = await checked('GET', `${path}/upcoming?limit=3`)
    expect(body.items).toHaveLength(3)
    expect(body.items[0].local).toMatch(/T09:00:00\+08:00$/)
  })

  test('runs by filter and cursor, both ways', async () => {
    for (let i = 0; i < 5; i++) await scheduler.run('fine', i, { wait: true })
    await scheduler.run('bad', undefined, { wait: true })
    const first = (await checked('GET', 'runs?job=fine&limit=2')).body
    const second = (await checked('GET', `runs?job=fine&limit=2&before=${first.next}`)).body
    const back = (await checked('GET', `runs?job=fine&limit=2&after=${second.previous}`)).body
    expect(first.items.map(({ data }: { data: number }) => data)).toEqual([4, 3])
    expect(second.items.map(({ data }: { data: number }) => data)).toEqual([2, 1])
    expect(back.items.map(({ data }: { data: number }) => data)).toEqual([4, 3])
    expect((await checked('GET', 'runs?outcome=failed,timed-out')).body.items).toMatchObject([{ job: 'bad' }])
    expect((await checked('GET', 'runs?text=NO%20SUCH')).body.items).toHaveLength(1)
  })

  test('a run, its lines, and nothing where there is none', async () => {
    const { id } = await scheduler.run('bad', { a: 1 }, { wait: true, by: 'ann' })
    expect((await checked('GET', `runs/${id}`)).body).toMatchObject({
      id,
      data: { a: 1 },
      asked: { by: 'ann' },
      logLines: 1,
    })
    expect((await checked('GET', `runs/${id}/logs`)).body.items).toMatchObject([
      { level: 'warn', message: 'about to fail' },
    ])
    expect((await checked('GET', `runs/${id}/logs?level=error`)).body.items).toEqual([])
    expect((await checked('GET', 'runs/none')).status).toBe(404)
    expect((await checked('GET', 'jobs/none')).body).toMatchObject({
      status: 404,
      code: 'ERR_ESCAPEMENT_JOB_UNKNOWN',
    })
  })

  test('why a job did or did not run', async () => {
    const sunday = '2026-11-29T01:00:00Z'
    const { body } = await checked('GET', `jobs/${segmentOf(ODD)}/explain?at=${sunday}`)
    expect(body.fires).toBe(false)
    expect(body.answer).toContain('is not due at')
    expect(body.reasons[0]).toMatchObject({ kind: 'schedule', text: expect.stringContaining('SUN') })
    expect((await checked('GET', 'jobs/fine/explain')).status).toBe(400)
  })

  test('counters, instances, the audit, incidents, previews, a calendar', async () => {
    await scheduler.run('fine', undefined, { wait: true })
    await scheduler.pause('fine', { by: 'ann', reason: 'why not' })
    expect((await checked('GET', 'stats')).body.items).toMatchObject([
      { runs: 1, outcomes: { succeeded: 1 } },
    ])
    expect((await checked('GET', 'stats?each=job&step=day')).body.items).toMatchObject([{ job: 'fine' }])
    expect((await checked('GET', 'instances')).body.items).toMatchObject([{ pid: process.pid }])
    expect((await checked('GET', 'audit?by=ann')).body.items).toMatchObject([
      { action: 'paused', reason: 'why not' },
    ])
    expect((await checked('GET', 'incidents')).body.items).toEqual([])
    const preview = await checked('GET', 'preview?schedule=30%202%20*%20*%20*&timezone=Europe/Berlin&limit=2')
    expect(preview.body).toMatchObject({ words: 'At 02:30', upcoming: [{}, {}] })
    expect((await checked('GET', 'preview?schedule=99%20*%20*%20*%20*')).status).toBe(400)
    const { body } = await checked('GET', 'calendar.ics')
    expect(body).toContain('BEGIN:VCALENDAR\r\n')
    expect(body.split('\r\n').every((line: string) => Buffer.byteLength(line) <= 75)).toBe(true)
    expect(body.match(/BEGIN:VEVENT/g)?.length).toBeGreaterThan(8)
  })

  test('what has not changed is not sent again', async () => {
    const { headers } = await checked('GET', 'jobs/bad')
    const again = await checked('GET', 'jobs/bad', { headers: { 'if-none-match': headers.get('etag') } })
    expect([again.status, again.body]).toEqual([304, undefined])
  })

  test.each([
    ['jobs?limit=0'],
    ['jobs?limit=x'],
    ['runs?outcome=good'],
    ['runs?from=soon'],
    ['runs?jobb=fine'],
    [`runs?text=${'x'.repeat(201)}`],
    ['jobs/%E0%A4%A'],
  ])('%s is refused with 400', async (path) => {
    expect((await ask('GET', path)).status).toBe(400)
  })
})

describe('writes', () => {
  test('a run is asked for, once under its key, and can be looked at', async () => {
    const options = { headers: { ...OWN, 'idempotency-key': 'k1' }, body: { month: 7 } }
    const first = await checked('POST', 'jobs/fine/runs?reason=late', options)
    const again = await checked('POST', 'jobs/fine/runs', options)
    expect([first.status, again.body.id]).toEqual([202, first.body.id])
    expect(first.headers.get('location')).toBe(`/jobs/api/v1/runs/${first.body.id}`)
    await vi.waitFor(async () => {
      const { body } = await checked('GET', `runs/${first.body.id}`)
      expect(body).toMatchObject({
        state: 'succeeded',
        data: { month: 7 },
        asked: { by: 'developer', reason: 'late' },
      })
    })
    const other = await checked('POST', 'jobs/fine/runs', { ...options, body: { month: 8 } })
    expect(other.body).toMatchObject({ status: 422, code: 'ERR_ESCAPEMENT_KEY_REUSED' })
  })

  test('pause and resume, one and all', async () => {
    const pause = { headers: OWN, body: { reason: 'broken', for: '1h' } }
    expect((await checked('POST', 'jobs/fine/pause', pause)).status).toBe(204)
    expect(scheduler.get('fine').paused).toMatchObject({ by: 'developer', reason: 'broken' })
    expect((await checked('DELETE', 'jobs/fine/pause', { headers: OWN })).status).toBe(204)
    expect(scheduler.get('fine').paused).toBeUndefined()
    expect((await checked('POST', 'pause', { headers: OWN })).status).toBe(204)
    expect(scheduler.paused).toMatchObject({ by: 'developer' })
    expect((await checked('DELETE', 'pause', { headers: OWN })).status).toBe(204)
    const bad = await checked('POST', 'jobs/fine/pause', { headers: OWN, body: { for: 'soon' } })
    expect(bad.status).toBe(400)
    expect((await checked('POST', 'jobs/fine/pause', { headers: OWN, body: { who: 1 } })).status).toBe(422)
  })

  test('cancel and retry, one and many', async () => {
    scheduler.job(
      'long',
      manual(),
      { overlap: 'allow' },
      (run) => new Promise((_, no) => run.signal.addEventListener('abort', () => no(run.signal.reason))),
    )
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => scheduler.run('long')))
    expect(
      (await checked('POST', `runs/${one?.id}/cancel`, { headers: OWN, body: { reason: 'wrong' } })).status,
    ).toBe(204)
    expect((await one?.settled)?.error?.message).toBe('cancelled by developer: wrong')
    expect((await checked('POST', `runs/${one?.id}/cancel`, { headers: OWN })).body.code).toBe(
      'ERR_ESCAPEMENT_RUN_STATE',
    )
    const dry = await checked('POST', 'runs/cancel?job=long&state=running&dryRun=true', { headers: OWN })
    expect(dry.body.runs.map(({ id }: { id: string }) => id).toSorted()).toEqual(
      [two?.id, three?.id].toSorted(),
    )
    const done = await checked('POST', 'runs/cancel?job=long&state=running', { headers: OWN })
    expect(done.body.runs).toHaveLength(2)
    await Promise.all([two?.settled, three?.settled])
    const { id } = await scheduler.run('fine', { n: 1 }, { wait: true })
    const again = await checked('POST', `runs/${id}/retry`, { headers: OWN })
    await vi.waitFor(async () =>
      expect((await checked('GET', `runs/${again.body.id}`)).body).toMatchObject({
        retryOf: id,
        data: { n: 1 },
        state: 'succeeded',
      }),
    )
    expect((await checked('POST', 'runs/retry', { headers: OWN })).status).toBe(422)
  })

  test.each([
    ['too large', { headers: OWN, body: { x: 'x'.repeat(70_000) } }, 413],
    ['no JSON', { headers: OWN, body: '{' }, 400],
    ['another type', { headers: { ...OWN, 'content-type': 'text/plain' }, body: 'x' }, 415],
  ])('a body that is %s is refused', async (_, options, status) => {
    expect((await checked('POST', 'jobs/fine/runs', options)).status).toBe(status)
  })
})

describe('who may', () => {
  test('without a token nothing is shown, and in production auth must be given', async () => {
    expect((await checked('GET', 'overview', { headers: { authorization: 'Bearer wrong' } })).status).toBe(
      401,
    )
    vi.stubEnv('NODE_ENV', 'production')
    try {
      expect(() => admin(scheduler)).toThrow(expect.objectContaining({ code: 'ERR_ESCAPEMENT_OPTION' }))
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('the token of the link becomes a cookie', async () => {
    const asked = (url: string, headers = {}) =>
      handler(new Request(url, { headers }), { base: '', peer: undefined, body: undefined })
    const response = await asked(`http://localhost/api/v1/jobs?token=${handler.token}`)
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict$/)
    expect((await asked('http://localhost/api/v1/jobs', { cookie: cookie.split(';')[0] })).status).toBe(200)
    expect((await asked('http://evil.example/api/v1/jobs', { cookie: cookie.split(';')[0] })).status).toBe(
      421,
    )
  })

  test('a change from another origin is refused, changes nothing, and is in the audit', async () => {
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])
      expect((await checked('POST', 'jobs/fine/pause', { headers })).status).toBe(403)
    expect(scheduler.get('fine').paused).toBeUndefined()
    expect(
      (await checked('POST', 'jobs/fine/pause', { headers: { 'sec-fetch-site': 'same-origin' } })).status,
    ).toBe(204)
    const refused = (await scheduler.audit()).filter((entry) => entry.refused)
    expect(refused).toHaveLength(3)
    expect(refused[0]?.reason).toContain('POST /jobs/api/v1/jobs/fine/pause')
  })

  test('a viewer looks, sees what is not hidden, and only its jobs', async () => {
    const { id } = await scheduler.run('bad', { a: 1 }, { wait: true })
    handler = admin(scheduler, {
      hide: ['data', 'logs'],
      auth: async (request) =>
        request.headers.get('x-user')
          ? { actor: 'v', role: 'viewer', jobs: (name) => name !== 'fine' }
          : undefined,
    })
    const viewer = { headers: { 'x-user': 'v', ...OWN } }
    expect(
      (await checked('GET', 'jobs', viewer)).body.items.map(({ name }: { name: string }) => name),
    ).toEqual(['bad', ODD])
    expect((await checked('GET', `runs/${id}`, viewer)).body.data).toBeUndefined()
    expect((await checked('GET', `runs/${id}/logs`, viewer)).body.items).toEqual([])
    expect((await checked('GET', 'jobs/fine', viewer)).status).toBe(404)
    expect((await checked('POST', 'jobs/bad/pause', viewer)).status).toBe(403)
    expect((await ask('GET', 'jobs')).status).toBe(401)
  })
})

describe('events', () => {
  test('a stream tells what changes, and a client that comes back misses nothing', async () => {
    const app = express()
    app.use('/jobs', toNode(handler))
    const server = app.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const url = `http://localhost:${port}/jobs/api/v1/events`
    const authorization = `Bearer ${handler.token}`
    try {
      const first = await reader(url, { authorization })
      await scheduler.run('fine', undefined, { wait: true })
      const seen = await first.until((text) => text.includes('"state":"succeeded"'))
      const last = /id: (\S+)\n(?![\s\S]*id: )/.exec(seen)?.[1] as string
      await first.cancel()
      await scheduler.pause('fine')
      const second = await reader(url, { authorization, 'last-event-id': last })
      const missed = await second.until((text) => text.includes('"paused"'))
      expect(missed).not.toContain('"state":"succeeded"')
      const other = await reader(url, { authorization, 'last-event-id': 'old.5' })
      await other.until((text) => text.includes('event: reset'))
      await other.cancel()
      const ended = second.until(() => false)
      await scheduler.stop()
      expect(await ended).toContain('event: drain')
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

async function reader(url: string, headers: Record<string, string>) {
  const response = await fetch(url, { headers })
  expect(response.status).toBe(200)
  const stream = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
  let text = ''
  return {
    /** Reads until something is there, or the stream ends. */
    async until(is: (text: string) => boolean): Promise<string> {
      while (!is(text)) {
        const { done, value } = await stream.read()
        if (done) break
        text += Buffer.from(value).toString()
      }
      return text
    },
    cancel: () => stream.cancel(),
  }
}

test('each route is in the document, and each path of it is a route', async () => {
  const known = [
    'overview',
    'upcoming',
    'jobs',
    'jobs/x',
    'jobs/x/upcoming',
    'jobs/x/explain',
    'jobs/x/runs',
    'jobs/x/pause',
    'pause',
    'runs',
    'runs/cancel',
    'runs/retry',
    'runs/x',
    'runs/x/logs',
    'runs/x/cancel',
    'runs/x/retry',
    'stats',
    'incidents',
    'instances',
    'audit',
    'preview',
    'calendar.ics',
    'events',
    'openapi.json',
  ]
  const paths = Object.keys(documented.paths).map((path) => path.slice(1).replace(/\{\w+\}/, 'x'))
  expect(paths.toSorted()).toEqual(known.toSorted())
  for (const path of known) {
    const methods = Object.keys(
      documented.paths[`/${path.replace(/^(jobs)\/x/, '$1/{name}').replace(/^(runs)\/x/, '$1/{id}')}`] ?? {},
    )
    for (const method of ['GET', 'POST', 'DELETE', 'PUT', 'PATCH']) {
      // A run could have this id.
      if (method === 'GET' && /^runs\/(cancel|retry)$/.test(path)) continue
      const { status } = await ask(method, path, { headers: { authorization: 'Bearer no' } })
      expect(status, `${method} ${path}`).toBe(methods.includes(method.toLowerCase()) ? 401 : 405)
    }
  }
  expect((await ask('GET', 'nothing')).status).toBe(404)
})
