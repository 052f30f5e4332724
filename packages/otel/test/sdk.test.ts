import { manual } from '@escapement/core'
import { otel } from '@escapement/otel'
import { liveRun } from '@escapement/testing'
import { trace } from '@opentelemetry/api'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import * as older from 'opentelemetry-api-1.8'
import { afterEach, describe, expect, test } from 'vitest'
import { harness, here, registerMeters, registerSdk, unregister } from './tracing.ts'

afterEach(() => {
  unregister()
  older.trace.disable()
  delete (globalThis as Record<symbol, unknown>)[Symbol.for('opentelemetry.js.api.1')]
})

const warnings = (lines: ReturnType<typeof harness>['lines']) =>
  lines.filter(({ level }) => level === 'warn').map(({ message }) => message)

describe('without an SDK', () => {
  test('runs are as without the plugin, and nothing is said', async () => {
    const { scheduler, lines } = harness({ plugins: [otel()] })
    scheduler.job('a', manual(), { retry: 1 }, (run) => {
      run.log.info('working')
      return here()
    })
    await scheduler.start()
    const run = await liveRun(scheduler, 'a', { event: 'settled' })
    expect(run).toMatchObject({
      outcome: 'succeeded',
      result: undefined,
      traceId: undefined,
      traceparent: undefined,
    })
    expect(lines.find(({ message }) => message === 'working')).not.toHaveProperty('trace_id')
    expect(warnings(lines)).toEqual([])
  })
})

describe('an SDK that registers late', () => {
  test('traces and counts from then on', async () => {
    const { scheduler, lines } = harness({ plugins: [otel()] })
    scheduler.job('a', manual(), { retry: 1 }, () => {})
    await scheduler.start()
    const before = await scheduler.run('a', undefined, { wait: true })
    const sdk = registerSdk()
    const meters = registerMeters()
    const after = await scheduler.run('a', undefined, { wait: true })
    expect(before.traceId).toBeUndefined()
    expect(sdk.spans().map((span) => span.name)).toEqual(['job.attempt', 'job a'])
    expect(after.traceId).toBe(sdk.spans()[1]?.spanContext().traceId)
    const { 'job.run.duration': duration } = await meters.read()
    expect(duration?.dataPoints).toHaveLength(1)
    expect(warnings(lines)).toEqual([])
  })

  test('and one that takes its place', async () => {
    const { scheduler } = harness({ plugins: [otel()] })
    scheduler.job('a', manual(), () => {})
    const first = registerSdk()
    await scheduler.run('a', undefined, { wait: true })
    unregister()
    await scheduler.run('a', undefined, { wait: true })
    const second = registerSdk()
    await scheduler.run('a', undefined, { wait: true })
    expect([first.spans().length, second.spans().length]).toEqual([1, 1])
  })
})

describe('an SDK that cannot be seen, as it registered with an older copy of the API', () => {
  test('is reported at the start, once', async () => {
    older.trace.setGlobalTracerProvider(new BasicTracerProvider() as unknown as older.TracerProvider)
    expect(trace.getTracer('any').startSpan('any').isRecording()).toBe(false)
    const { scheduler, lines } = harness({ plugins: [otel()] })
    scheduler.job('a', manual(), () => {})
    await scheduler.start()
    await scheduler.run('a', undefined, { wait: true })
    await scheduler.stop()
    await scheduler.start()
    expect(warnings(lines)).toEqual([expect.stringContaining('registered with @opentelemetry/api 1.8.0')])
  })

  test('is reported when it came after the start', async () => {
    const { scheduler, lines } = harness({ plugins: [otel()] })
    scheduler.job('a', manual(), () => {})
    await scheduler.start()
    older.metrics.setGlobalMeterProvider({} as older.MeterProvider)
    await scheduler.run('a', undefined, { wait: true })
    expect(warnings(lines)).toEqual([expect.stringContaining('npm ls @opentelemetry/api')])
  })
})

test('an SDK without a context manager is reported', async () => {
  trace.setGlobalTracerProvider(new BasicTracerProvider())
  const { scheduler, lines } = harness({ plugins: [otel()] })
  scheduler.job('a', manual(), () => {})
  await scheduler.start()
  const run = await scheduler.run('a', undefined, { wait: true })
  expect(run.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(warnings(lines)).toEqual([expect.stringContaining('without a context manager')])
})
