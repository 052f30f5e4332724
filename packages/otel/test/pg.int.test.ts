import { createScheduler, every, manual, type Scheduler } from '@escapement/core'
import { otel } from '@escapement/otel'
import { postgres } from '@escapement/postgres'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Server } from '../../postgres/test/server.ts'
import { registerSdk, unregister } from './tracing.ts'

// The real instrumentation of pg, on a real PostgreSQL, which has the scheduler's claims, heartbeats and history
// as well. In a pool of its own: the instrumentation takes what waits for a connection, and has no span, for a query
// of whoever gives the connection back.

let server: Server
let instrumentation: PgInstrumentation
let spans: ReadableSpan[]

beforeAll(async () => {
  const sdk = registerSdk()
  // Before pg is loaded, as a file given to --import would.
  instrumentation = new PgInstrumentation()
  const { startServer } = await import('../../postgres/test/server.ts')
  server = await startServer()
  const pool = server.pool()
  await pool.query('create table orders (id serial primary key, item text not null)')
  const tracer = trace.getTracer('shop')

  const scheduler: Scheduler = createScheduler({
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    plugins: [
      otel({ lockSpanOver: '1h' }),
      postgres({ pool: server.pool(), heartbeat: '100ms', lease: '10s' }),
    ],
  })
  let ticks = 0
  const ticked = new Promise<void>((resolve) => {
    scheduler.on('succeeded', (run) => {
      if (run.job.name === 'ticking' && ++ticks === 2) resolve()
    })
  })
  scheduler.job('ticking', every('1s'), async () => {
    await pool.query('select pg_sleep(0.4)')
    await pool.query("insert into orders (item) values ('tick')")
  })
  scheduler.job('report', manual(), { retry: { retries: 1, delay: 1 } }, async (run) => {
    const client = await pool.connect()
    try {
      await tracer.startActiveSpan('count', async (span) => {
        await client.query('select count(*) from orders')
        span.end()
      })
      // Longer than the store gathers what it writes.
      await client.query('select pg_sleep(0.1)')
      if (run.attempt === 1) await client.query('select * from nowhere')
    } finally {
      client.release()
    }
  })
  scheduler.job('slow', manual(), { timeout: '100ms' }, (run) => {
    return new Promise((resolve) => {
      run.signal.addEventListener('abort', () => resolve(pool.query('delete from orders where id = 0')))
    })
  })
  // Of one connection, which is taken: the query gets it from whoever gives it back.
  const full = server.pool({ max: 1 })
  const taken = await full.connect()
  const waiting = new Promise<void>((resolve) => {
    scheduler.job('waiting', manual(), async () => {
      const asked = full.query('select 1 as waited')
      resolve()
      await asked
    })
  })
  await scheduler.start()
  await tracer.startActiveSpan('POST /reports', async (span) => {
    await Promise.all(['report', 'slow'].map((job) => scheduler.run(job, undefined, { wait: true })))
    span.end()
  })
  const waited = scheduler.run('waiting', undefined, { wait: true })
  await waiting
  tracer.startActiveSpan('POST /orders', (span) => {
    taken.release()
    span.end()
  })
  await waited
  await ticked
  await scheduler.stop()
  await pool.query('select 1 as afterwards')
  spans = sdk.spans()
})
afterAll(async () => {
  instrumentation?.disable()
  unregister()
  await server?.close()
})

const id = (span: ReadableSpan) => span.spanContext().spanId
const text = (span: ReadableSpan) =>
  String(span.attributes['db.query.text'] ?? span.attributes['db.statement'])
const time = ([seconds, nanos]: readonly [number, number]) => seconds * 1000 + nanos / 1e6
const named = (name: string) => spans.filter((span) => span.name === name)
const ofPg = () => spans.filter((span) => span.instrumentationScope.name.endsWith('instrumentation-pg'))
const queries = (part: string) => ofPg().filter((span) => text(span).includes(part))
/** The names from a span up to its root. */
function path(span: ReadableSpan): string[] {
  const parent = span.parentSpanContext && spans.find((other) => id(other) === span.parentSpanContext?.spanId)
  expect(parent !== undefined, `the parent of ${span.name}`).toBe(span.parentSpanContext !== undefined)
  return parent ? [parent.name, ...path(parent)] : []
}

describe('queries of handlers', () => {
  test('nest under the span of their run', () => {
    const ticks = named('job ticking')
    expect(ticks).toHaveLength(2)
    for (const part of ['pg_sleep(0.4)', 'insert into orders']) {
      expect(queries(part).map((span) => span.parentSpanContext?.spanId)).toEqual(ticks.map(id))
    }
  })

  test('nest under their attempt and under the spans of the app', () => {
    expect(queries('count(*) from orders').map(path)).toEqual(
      Array(2).fill(['count', 'job.attempt', 'job report']),
    )
    const failed = queries('nowhere')
    expect(failed.map(path)).toEqual([['job.attempt', 'job report']])
    expect(failed.map((span) => span.status.code)).toEqual([SpanStatusCode.ERROR])
  })

  test('nest when they are asked by a listener of the abort', () => {
    expect(queries('delete from orders').map(path)).toEqual([['job slow']])
  })

  test('nest when they had to wait for a connection that a request gives back', () => {
    expect(queries('waited').map(path)).toEqual([['job waiting']])
  })

  test('are all that pg does in the traces of runs', () => {
    const runs = new Set(
      spans.filter(({ name }) => name.startsWith('job ')).map((s) => s.spanContext().traceId),
    )
    expect(runs.size).toBe(5)
    const inside = ofPg().filter((span) => runs.has(span.spanContext().traceId))
    // And connections, which are made when there are too few.
    const own = inside.filter(({ name }) => name.startsWith('pg.query'))
    expect(new Set(own.map(text))).toEqual(
      new Set([
        'select pg_sleep(0.4)',
        'select pg_sleep(0.1)',
        "insert into orders (item) values ('tick')",
        'select count(*) from orders',
        'select * from nowhere',
        'delete from orders where id = 0',
        'select 1 as waited',
      ]),
    )
    // One connection for each handler's query() and connect().
    expect(inside.filter(({ name }) => name === 'pg-pool.connect')).toHaveLength(2 * 2 + 2 + 1 + 1)
  })
})

describe('queries of the scheduler', () => {
  test.each([
    // Claims of one moment share a statement, and so do ends.
    ['claims', 'INSERT INTO "escapement".claims', 3],
    ['the ends of claims', 'SET state = g.outcome', 3],
    ['heartbeats', 'UPDATE "escapement".instances SET until', 5],
    ['history', 'json_to_recordset', 2],
    ['what the app asks when all is over', 'afterwards', 1],
  ])('%s are in no trace of a run or of who asked for it', (_, part, least) => {
    const found = queries(part)
    expect(found.length).toBeGreaterThanOrEqual(least)
    for (const span of found) expect([[], ['pg-pool.connect']]).toContainEqual(path(span))
  })

  test('heartbeats go on outside while a handler is under way', () => {
    const run = named('job ticking')[0] as ReadableSpan
    const during = queries('UPDATE "escapement".instances SET until').filter(
      (span) => time(span.startTime) > time(run.startTime) && time(span.endTime) < time(run.endTime),
    )
    expect(during.length).toBeGreaterThanOrEqual(1)
  })

  test('nothing of them is under the request that asked for runs', () => {
    const [request] = named('POST /reports')
    const trail = spans.filter((span) => span.spanContext().traceId === request?.spanContext().traceId)
    expect(trail.map((span) => span.name)).toEqual(['POST /reports'])
  })
})
