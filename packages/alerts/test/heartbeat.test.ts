import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createScheduler, type Plugin } from '@escapement/core'
import { afterEach, expect, test } from 'vitest'
import { heartbeat } from '../src/index.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Answers as healthchecks.io documents it, and writes down what came. */
async function checks(status: () => number = () => 200) {
  const pings: { path: string; rid: string | null; body: string }[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
      pings.push({ path: pathname, rid: searchParams.get('rid'), body })
      response.writeHead(status()).end('OK')
      for (const { count, resolve } of waiting) if (pings.length >= count) resolve()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    pings,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived: (count: number) =>
      new Promise<void>((resolve) => (pings.length >= count ? resolve() : waiting.push({ count, resolve }))),
  }
}

const lines: { message: string; fields: object }[] = []
const logger = {
  debug() {},
  info() {},
  warn: (fields: object, message: string) => void lines.push({ fields, message }),
  error() {},
}

function started(plugin: Plugin) {
  const scheduler = createScheduler({ logger, plugins: [plugin] })
  scheduler.job('report', '0 0 1 1 *', { retry: { retries: 1, delay: 1 }, overlap: 'allow' }, (run) => {
    if (run.data) throw new Error('no disk space')
  })
  scheduler.job('unwatched', '0 0 1 1 *', () => {})
  return scheduler
}

test('each run: start, then success or fail with the error, with the run id and in order', async () => {
  const { url, pings } = await checks()
  const plugin = heartbeat({ jobs: { report: `${url}/2f2f` } })
  const scheduler = started(plugin)
  await scheduler.start()
  const good = await scheduler.run('report', undefined, { wait: true })
  const bad = await scheduler.run('report', 'fail', { wait: true })
  await scheduler.run('unwatched', undefined, { wait: true })
  await scheduler.stop()
  expect(pings.map(({ path, rid }) => [path, rid])).toEqual([
    ['/2f2f/start', good.id],
    ['/2f2f', good.id],
    ['/2f2f/start', bad.id],
    ['/2f2f/fail', bad.id],
  ])
  expect(pings[3]?.body).toMatch(/^failed: Error: no disk space\n {4}at /)
  expect(plugin.stats()).toEqual({ sent: 4, failed: 0, dropped: 0, waiting: 0 })
})

test('alive: as long as the scheduler runs', async () => {
  const { url, pings, arrived } = await checks()
  const scheduler = started(heartbeat({ alive: { url: `${url}/alive`, every: '1s' } }))
  await scheduler.start()
  await arrived(2)
  await scheduler.stop()
  expect(pings.every(({ path, rid }) => path === '/alive' && rid === null)).toBe(true)
})

test('other services: the request is yours to make', async () => {
  const { url, pings } = await checks()
  const scheduler = started(
    heartbeat({
      jobs: (job) => (job.name === 'report' ? `${url}/p/report` : undefined),
      request: (url, { type, run }) => ({ url: `${url}/${type}/${run?.length}`, method: 'GET' }),
    }),
  )
  await scheduler.start()
  await scheduler.run('report', undefined, { wait: true })
  await scheduler.stop()
  expect(pings.map(({ path }) => path)).toEqual(['/p/report/start/36', '/p/report/success/36'])
})

test('a service that is down costs nothing: bounded queue, counted drops, one line, no address in it', async () => {
  const { url } = await checks(() => 503)
  lines.length = 0
  const plugin = heartbeat({ jobs: { report: `${url}/S3CRETCHECK` }, tries: 1, queue: 5 })
  const scheduler = started(plugin)
  await scheduler.start()
  await Promise.all(Array.from({ length: 50 }, () => scheduler.run('report', undefined, { wait: true })))
  await scheduler.stop()
  const { sent, failed, dropped, waiting } = plugin.stats()
  expect(sent).toBe(0)
  expect(waiting).toBe(0)
  expect(failed).toBeGreaterThanOrEqual(5)
  expect(dropped).toBeGreaterThan(0)
  expect(lines).toHaveLength(1)
  expect(JSON.stringify(lines)).not.toContain('S3CRETCHECK')
})

test.each([
  [{ jobs: { report: 'not an address' } }, /heartbeat: jobs.report must be an http\(s\) address/],
  [{ alive: { url: 'ftp://x' } }, /alive.url/],
  [{ queue: 0 }, /queue must be a whole number/],
  [{ flush: '1m' }, /flush/],
])('%j is refused', (options, message) => {
  expect(() => heartbeat(options as never)).toThrow(message)
})
