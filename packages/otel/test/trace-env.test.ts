import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { manual } from '@escapement/core'
import { otel, traceEnv } from '@escapement/otel'
import { liveRun } from '@escapement/testing'
import { createTraceState, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { afterEach, expect, test } from 'vitest'
import { harness, here, registerSdk, unregister } from './tracing.ts'

afterEach(unregister)

test('hands the current span of a run to a child process', async () => {
  registerSdk()
  const { scheduler } = harness({ plugins: [otel()] })
  scheduler.job('a', manual(), { retry: 1 }, async () => {
    const script = 'process.stdout.write(process.env.TRACEPARENT)'
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { env: traceEnv() })
    return [stdout, here()]
  })
  const run = await liveRun(scheduler, 'a', { event: 'settled' })
  const [given, span] = run.result as [string, { traceId: string; spanId: string }]
  expect(given).toBe(`00-${run.traceId}-${span.spanId}-01`)
  expect(given).not.toBe(run.traceparent)
})

test('adds the state of the trace, and keeps what it was given', () => {
  registerSdk()
  const span = trace.wrapSpanContext({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: 0,
    traceState: createTraceState('vendor=1'),
  })
  const env = trace
    .getTracer('t')
    .startActiveSpan('s', {}, trace.setSpan(ROOT_CONTEXT, span), () => traceEnv({ A: '1' }))
  expect(env).toMatchObject({ A: '1', TRACESTATE: 'vendor=1' })
  expect(env.TRACEPARENT).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/)
})

test('without a span leaves the environment as it is', () => {
  expect(traceEnv({ A: '1' })).toEqual({ A: '1' })
  expect(traceEnv()).toEqual({ ...process.env })
})
