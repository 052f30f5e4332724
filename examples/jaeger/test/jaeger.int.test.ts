import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode, receiver, type WireSpan } from '../../../packages/otel/test/otlp.ts'

// The example as a user starts it, with a real Redis; its spans go to another process instead of Jaeger.

const undo: (() => unknown)[] = []
let spans: WireSpan[]
let lines: Record<string, unknown>[]
let asked: { run: string }
let metrics: string
let code: number | null

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function stopped(child: ChildProcess): () => Promise<void> {
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill()
    await gone
  }
}

beforeAll(async () => {
  const redisPort = await freePort()
  const redis = spawn('redis-server', ['--port', String(redisPort), '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  })
  await once(redis, 'spawn')
  undo.push(stopped(redis))
  const sink = await receiver()
  undo.push(sink.close)
  const ports = [await freePort(), await freePort()]
  const app = spawn(process.execPath, [fileURLToPath(new URL('../start.mjs', import.meta.url))], {
    env: {
      ...process.env,
      NODE_ENV: 'development',
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      PORTS: ports.join(),
      EVERY: '1s',
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  undo.unshift(stopped(app))
  lines = []
  let rest = ''
  const waiting = new Set<() => void>()
  app.stdout.on('data', (chunk) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts.map((line) => JSON.parse(line) as Record<string, unknown>))
    for (const look of waiting) look()
  })
  /** Waits until the lines say so. */
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      app.once('exit', (status) => reject(new Error(`the example ended with ${status}`)))
      waiting.add(() => holds() && resolve())
    })
  await until(() => {
    const done = lines.filter((line) => line.msg === 'pull-prices succeeded')
    return done.length >= 6 && done.some((line) => line.attempt === 2)
  })
  const url = `http://127.0.0.1:${ports[1]}`
  const reported = until(() => lines.some((line) => line.msg === 'report succeeded'))
  asked = (await (await fetch(`${url}/reports`, { method: 'POST' })).json()) as typeof asked
  await reported
  metrics = await (await fetch(`${url}/metrics`)).text()
  const exited = once(app, 'exit')
  app.kill('SIGINT')
  ;[code] = (await exited) as [number | null]
  spans = (await sink.received()).flatMap(({ body }) => decode(body))
})

afterAll(async () => {
  for (const step of undo) await step()
})

const named = (name: string) => spans.filter((span) => span.name === name)

describe('the example with Jaeger', () => {
  test('ends in order, and sends its last spans', () => {
    expect(code).toBe(0)
    expect(lines.filter((line) => line.msg === 'scheduler stopped')).toHaveLength(2)
    expect(named('job report')).toHaveLength(1)
  })

  test('runs each tick on one instance', () => {
    const ticks = named('job pull-prices').map((span) => span.attributes['job.scheduled_time'])
    expect(ticks.length).toBeGreaterThanOrEqual(6)
    expect(new Set(ticks).size).toBe(ticks.length)
  })

  test('has one root a trace and each parent, over HTTP calls and retries', () => {
    const ids = new Set(spans.map((span) => span.spanId))
    for (const span of spans) {
      if (span.parentSpanId) expect(ids, `the parent of ${span.name}`).toContain(span.parentSpanId)
    }
    const roots = spans.filter((span) => span.parentSpanId === '')
    expect(new Set(roots.map((span) => span.traceId)).size).toBe(roots.length)
    expect(roots.map((span) => span.name)).toEqual(
      expect.arrayContaining(['job pull-prices', 'job report', 'POST']),
    )
  })

  test('has what handlers do in Redis and over HTTP in the trace of the run, and nothing of the lock', () => {
    const [run] = named('job pull-prices')
    const inside = spans.filter((span) => span.traceId === run?.traceId).map((span) => span.name)
    expect(inside).toEqual(expect.arrayContaining(['job.attempt', 'GET', 'store prices', 'hset']))
    const redis = spans.filter(
      (span) => span.attributes['db.system'] === 'redis' || span.scope.includes('ioredis'),
    )
    expect(new Set(redis.map((span) => span.name))).toEqual(new Set(['hset', 'hgetall', 'set']))
  })

  test('links the run that was asked for to the request', () => {
    const [report] = named('job report')
    const request = spans.find(
      ({ kind, attributes }) =>
        kind === 'SPAN_KIND_SERVER' && (attributes['http.target'] ?? attributes['url.path']) === '/reports',
    )
    expect(report?.links).toEqual([{ traceId: request?.traceId, spanId: request?.spanId }])
    expect(report?.attributes['job.run.id']).toBe(asked.run)
  })

  test('writes the ids of the trace into the log', () => {
    const [retried] = lines.filter((line) => line.msg === 'pull-prices succeeded' && line.attempt === 2)
    const root = named('job pull-prices').find((span) => span.traceId === retried?.trace_id)
    expect(root?.attributes['job.run.id']).toBe(retried?.run_id)
    const stored = lines.find((line) => line.msg === 'stored prices' && line.run_id === retried?.run_id)
    expect(stored?.trace_id).toBe(retried?.trace_id)
  })

  test('exposes its metrics', () => {
    expect(metrics).toContain('scheduler_up 1')
    expect(metrics).toMatch(
      /scheduler_job_runs_total\{job_name="report",outcome="succeeded"\} 1 # \{trace_id="/,
    )
  })
})
