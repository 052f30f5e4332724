import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createScheduler,
  EscapementError,
  every,
  type Hook,
  type Lock,
  manual,
  type Scheduler,
} from '@escapement/core'
import { type PrometheusPlugin, prometheus } from '@escapement/prometheus'
import { VirtualClock } from '@escapement/testing'
import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { afterEach, describe, expect, test } from 'vitest'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

function setUp(options: Parameters<typeof prometheus>[0] = {}, more: { lock?: Lock; run?: Hook } = {}) {
  const clock = new VirtualClock()
  const metrics = prometheus({ defaultMetrics: false, ...options })
  const other = { name: 'other', lock: more.lock, hooks: { run: more.run } }
  const scheduler = createScheduler({ clock, timezone: 'UTC', logger: silent, plugins: [other, metrics] })
  return { clock, metrics, scheduler }
}

/** The series of a family, as text after its name. */
async function series(metrics: PrometheusPlugin, family: string): Promise<Record<string, number>> {
  const text = await metrics.registry.metrics()
  const lines = text.split('\n').filter((line) => line.startsWith(family) && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value] = /^[^{ ]+(?:\{(.*?)\})? (\S+)/.exec(line) as RegExpExecArray
      return [labels, Number(value)]
    }),
  )
}

describe('a job that was registered', () => {
  test('has all its series at zero', async () => {
    const { metrics, scheduler } = setUp()
    scheduler.job('a', '0 1 * * *', () => {})
    expect(await series(metrics, 'scheduler_job_runs_total')).toEqual(
      Object.fromEntries(
        'succeeded failed timed-out cancelled lease-lost abandoned missed skipped'
          .split(' ')
          .map((outcome) => [`job_name="a",outcome="${outcome}"`, 0]),
      ),
    )
    expect(await series(metrics, 'scheduler_job_ticks_skipped_total')).toHaveProperty(
      ['job_name="a",reason="overlap"'],
      0,
    )
    for (const family of [
      'scheduler_job_run_duration_seconds_count',
      'scheduler_job_run_delay_seconds_count',
      'scheduler_job_runs_active',
      'scheduler_job_consecutive_failures',
      'scheduler_job_last_success_timestamp_seconds',
    ]) {
      expect(await series(metrics, family), family).toEqual({ 'job_name="a"': 0 })
    }
  })

  test('has none when it is removed, also when a run of it ends later', async () => {
    const { clock, metrics, scheduler } = setUp()
    const job = scheduler.job(
      'a',
      manual(),
      () => new Promise((end) => clock.setTimeout(end as () => void, 1000)),
    )
    await scheduler.run('a')
    job.remove()
    await clock.advance('1s')
    expect(await metrics.registry.metrics()).not.toContain('job_name="a"')
  })

  test('and one of the same name that takes its place begins at zero', async () => {
    const { metrics, scheduler } = setUp()
    scheduler.job('a', manual(), () => {}).remove()
    scheduler.job('a', manual(), () => {})
    await scheduler.run('a', undefined, { wait: true })
    expect(await series(metrics, 'scheduler_job_run_duration_seconds_count')).toEqual({ 'job_name="a"': 1 })
  })

  test('tells its next run from the start to the stop', async () => {
    const { metrics, scheduler } = setUp()
    const family = 'scheduler_job_next_run_timestamp_seconds'
    scheduler.job('a', '0 1 * * *', () => {})
    expect(await series(metrics, family)).toEqual({})
    await scheduler.start()
    expect(await series(metrics, family)).toEqual({ 'job_name="a"': Date.UTC(2026, 0, 1, 1) / 1000 })
    expect(await series(metrics, 'scheduler_up')).toEqual({ '': 1 })
    await scheduler.stop()
    expect(await series(metrics, family)).toEqual({})
    expect(await series(metrics, 'scheduler_up')).toEqual({ '': 0 })
  })
})

describe('runs', () => {
  test('are counted by outcome, with their durations and failures in a row', async () => {
    const { clock, metrics, scheduler } = setUp()
    let broken = true
    scheduler.job('a', every('10s'), async () => {
      await new Promise((end) => clock.setTimeout(end as () => void, 2000))
      if (broken) throw new Error('no')
    })
    await scheduler.start()
    await clock.advance('25s')
    expect(await series(metrics, 'scheduler_job_consecutive_failures')).toEqual({ 'job_name="a"': 2 })
    expect(await series(metrics, 'scheduler_job_last_failure_timestamp_seconds')).toEqual({
      'job_name="a"': Date.UTC(2026, 0, 1, 0, 0, 22) / 1000,
    })
    broken = false
    await clock.advance('10s')
    expect(await series(metrics, 'scheduler_job_consecutive_failures')).toEqual({ 'job_name="a"': 0 })
    const runs = await series(metrics, 'scheduler_job_runs_total')
    expect(Object.entries(runs).filter(([, count]) => count > 0)).toEqual([
      ['job_name="a",outcome="succeeded"', 1],
      ['job_name="a",outcome="failed"', 2],
    ])
    expect(await series(metrics, 'scheduler_job_run_duration_seconds_sum')).toEqual({ 'job_name="a"': 6 })
    expect(await series(metrics, 'scheduler_job_last_success_timestamp_seconds')).toEqual({
      'job_name="a"': Date.UTC(2026, 0, 1, 0, 0, 32) / 1000,
    })
  })

  test('under way are counted with the age of the oldest, and its bound', async () => {
    const { clock, metrics, scheduler } = setUp()
    scheduler.job('a', every('10s'), { overlap: 'allow', slow: '1m' }, () => new Promise(() => {}))
    await scheduler.start()
    await clock.advance('25s')
    expect(await series(metrics, 'scheduler_job_runs_active')).toEqual({ 'job_name="a"': 2 })
    expect(await series(metrics, 'scheduler_job_oldest_run_seconds')).toEqual({ 'job_name="a"': 15 })
    expect(await series(metrics, 'scheduler_job_slow_after_seconds')).toEqual({ 'job_name="a"': 60 })
  })

  test('that start late show it; one that was asked for is never late', async () => {
    const { clock, metrics, scheduler } = setUp()
    scheduler.job('a', every('10s'), () => {})
    await scheduler.start()
    await clock.block('13s')
    await scheduler.run('a')
    expect(await series(metrics, 'scheduler_job_run_delay_seconds_sum')).toEqual({ 'job_name="a"': 3 })
    expect(await series(metrics, 'scheduler_job_run_delay_seconds_count')).toEqual({ 'job_name="a"': 1 })
  })

  test('of another instance leave the tick due, and not started here', async () => {
    const lock: Lock = { claim: async () => ({ granted: false, reason: 'claimed-elsewhere' }) }
    const { clock, metrics, scheduler } = setUp({}, { lock })
    scheduler.job('a', every('10s'), () => {})
    await scheduler.start()
    await clock.advance('20s')
    expect(await series(metrics, 'scheduler_job_last_due_timestamp_seconds')).toEqual({
      'job_name="a"': Date.UTC(2026, 0, 1, 0, 0, 20) / 1000,
    })
    expect(await series(metrics, 'scheduler_job_last_start_timestamp_seconds')).toEqual({ 'job_name="a"': 0 })
    expect(await series(metrics, 'scheduler_job_ticks_skipped_total')).toHaveProperty(
      ['job_name="a",reason="claimed-elsewhere"'],
      2,
    )
  })

  test('of a paused job were not due', async () => {
    const { clock, metrics, scheduler } = setUp()
    scheduler.job('a', every('10s'), { paused: true }, () => {})
    await scheduler.start()
    await clock.advance('20s')
    expect(await series(metrics, 'scheduler_job_last_due_timestamp_seconds')).toEqual({ 'job_name="a"': 0 })
  })

  test('faults beside them are counted by source', async () => {
    const { metrics, scheduler } = setUp(
      {},
      {
        run: () => {
          throw new Error('hook')
        },
      },
    )
    scheduler.job('a', manual(), () => {})
    await scheduler.run('a', undefined, { wait: true })
    expect(await series(metrics, 'scheduler_errors_total')).toEqual({ 'source="other.run"': 1 })
  })
})

describe('exemplars', () => {
  const trace =
    (flags: string): Hook =>
    (run, next) => {
      run.traceId = '0af7651916cd43dd8448eb211c80319c'
      run.traceparent = `00-${run.traceId}-b7ad6b7169203331-${flags}`
      return next()
    }
  async function exposed(options: object, flags: string): Promise<string> {
    const { metrics, scheduler } = setUp(options, { run: trace(flags) })
    scheduler.job('a', manual(), () => {})
    await scheduler.run('a', undefined, { wait: true })
    return metrics.registry.metrics()
  }
  const id = '{trace_id="0af7651916cd43dd8448eb211c80319c"}'

  test('name the trace of a run that was sampled', async () => {
    const text = await exposed({}, '01')
    expect(text).toContain(`scheduler_job_runs_total{job_name="a",outcome="succeeded"} 1 # ${id} 1 `)
    expect(text).toMatch(/run_duration_seconds_bucket\{le="0.01",job_name="a"\} 1 # \{trace_id="0af7/)
  })

  test('are left out for one that was not', async () => {
    expect(await exposed({}, '00')).not.toContain('trace_id')
  })

  test('and from a registry of the other kind', async () => {
    const text = await exposed({ exemplars: false }, '01')
    expect(text).not.toContain('trace_id')
    expect(text).toContain('scheduler_job_runs_total{job_name="a",outcome="succeeded"} 1\n')
  })
})

describe('/metrics', () => {
  let close: (() => void) | undefined
  afterEach(() => close?.())

  async function get(handler: (req: IncomingMessage, res: ServerResponse) => unknown) {
    const server = createServer((req, res) => void handler(req, res))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    close = () => server.close()
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`)
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      body: await response.text(),
    }
  }

  test('with the process, its event loop and GC, in the OpenMetrics format', async () => {
    const { status, type, body } = await get(prometheus().handler())
    expect(status).toBe(200)
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(body).toContain('nodejs_eventloop_lag_p99_seconds')
    expect(body).toContain('nodejs_gc_duration_seconds')
    expect(body).toContain('process_cpu_seconds_total')
    expect(body).toContain('scheduler_up 0')
  })

  test('in plain text, from the registry of the app, beside its own metrics', async () => {
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    const { type, body } = await get(prometheus({ registry }).handler())
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(body).toContain('process_cpu_seconds_total')
    expect(body).toContain('scheduler_up 0')
  })

  test('answers 500 when they cannot be collected', async () => {
    const registry = new Registry()
    registry.metrics = () => Promise.reject(new Error('broken collector'))
    const { status, body } = await get(prometheus({ registry }).handler())
    expect([status, body]).toEqual([500, 'the metrics cannot be collected: the log says why\n'])
  })

  test('for Koa', async () => {
    const headers: Record<string, string> = {}
    const set = (name: string, value: string) => Object.assign(headers, { [name]: value })
    const ctx = { status: 404, body: undefined as unknown, set }
    await prometheus({ defaultMetrics: false }).koa()(ctx)
    expect(ctx.status).toBe(200)
    expect(headers['Content-Type']).toMatch(/openmetrics/)
    expect(ctx.body).toContain('scheduler_up 0')
  })
})

describe('prometheus()', () => {
  const thrownBy = (fn: () => unknown): unknown => {
    try {
      fn()
    } catch (error) {
      return error
    }
  }

  test.each([
    [{ registery: 1 }, /no prometheus\(\) option "registery": did you mean registry/],
    [{ registry: {} }, /a Registry of prom-client, but is an object/],
    [{ exemplars: 'yes' }, /exemplars must be true or false, but is "yes"/],
    [{ exemplars: true, registry: new Registry() }, /OpenMetrics kind/],
    [{ buckets: [] }, /rising numbers of seconds, but is an array of 0/],
    [{ buckets: [1, 1] }, /rising numbers of seconds/],
  ])('refuses %o', (options, message) => {
    const thrown = thrownBy(() => prometheus(options as object))
    expect(thrown).toBeInstanceOf(EscapementError)
    expect(thrown).toMatchObject({ code: 'ERR_ESCAPEMENT_OPTION', message: expect.stringMatching(message) })
  })

  test('refuses a registry that has its metrics already', () => {
    const registry = new Registry()
    prometheus({ registry })
    expect(thrownBy(() => prometheus({ registry }))).toMatchObject({ code: 'ERR_ESCAPEMENT_PLUGIN' })
  })

  test('serves several schedulers', async () => {
    const metrics = prometheus({ defaultMetrics: false })
    const make = (name: string): Scheduler => {
      const scheduler = createScheduler({ logger: silent, plugins: [metrics] })
      scheduler.job(name, manual(), () => {})
      return scheduler
    }
    const [first, second] = [make('a'), make('b')]
    await first.start()
    await second.start()
    await first.stop()
    expect(await series(metrics, 'scheduler_up')).toEqual({ '': 1 })
    expect(await series(metrics, 'scheduler_job_runs_active')).toEqual({
      'job_name="a"': 0,
      'job_name="b"': 0,
    })
    await second.stop()
  })

  test('counts the runs of two schedulers that have a job of the same name', async () => {
    const metrics = prometheus({ defaultMetrics: false })
    const make = (): Scheduler => {
      const scheduler = createScheduler({ logger: silent, plugins: [metrics] })
      scheduler.job('same', manual(), () => {})
      return scheduler
    }
    const [first, second] = [make(), make()]
    await first.start()
    await second.start()
    await first.run('same', undefined, { wait: true })
    await second.run('same', undefined, { wait: true })
    first.remove('same')
    await second.run('same', undefined, { wait: true })
    expect(await series(metrics, 'scheduler_job_runs_total')).toMatchObject({
      'job_name="same",outcome="succeeded"': 3,
    })
    second.remove('same')
    expect(await series(metrics, 'scheduler_job_runs_total')).toEqual({})
    await Promise.all([first.stop(), second.stop()])
  })

  test('a collector that fails is in the log, not on the page', async () => {
    const metrics = prometheus({ defaultMetrics: false })
    const lines: unknown[] = []
    const logger = { ...silent, error: (fields: unknown) => void lines.push(fields) }
    const scheduler = createScheduler({ logger, plugins: [metrics] })
    await scheduler.start()
    metrics.registry.registerMetric(
      new Gauge({
        name: 'theirs',
        help: 'fails',
        registers: [],
        collect: () => Promise.reject(new Error('no answer from redis://:s3cret@host')),
      }) as never,
    )
    const page = {
      statusCode: 200,
      body: '',
      setHeader() {},
      end(body: string) {
        this.body = body
      },
    }
    await metrics.handler()(undefined, page)
    const ctx = { status: 200, body: undefined as unknown, set() {} }
    await metrics.koa()(ctx)
    expect(page.statusCode).toBe(500)
    expect(ctx.status).toBe(500)
    expect(page.body + String(ctx.body)).not.toContain('redis')
    expect(lines).toHaveLength(2)
    await scheduler.stop()
  })

  test('the workers of a cluster are put together by the newest instant, not by the sum', async () => {
    const metrics = prometheus({ defaultMetrics: false })
    createScheduler({ logger: silent, plugins: [metrics] }).job('a', every('1h'), () => {})
    const json = await (metrics.registry as Registry).getMetricsAsJSON()
    const aggregate = AggregatorRegistry.aggregate([json, json])
    const once = await series(metrics, 'scheduler_job_next_run_timestamp_seconds')
    const both = await aggregate.getMetricsAsJSON()
    const of = (name: string) => both.find((metric) => metric.name === name)?.values[0]?.value
    expect(of('scheduler_job_next_run_timestamp_seconds')).toBe(once['job_name="a"'])
    for (const { name, values } of both.filter(({ name }) => name.endsWith('_seconds'))) {
      const own = json.find((metric) => metric.name === name)?.values[0]?.value
      if (String(both.find((metric) => metric.name === name)?.type) === 'gauge')
        expect([name, values[0]?.value]).toEqual([name, own])
    }
  })
})
