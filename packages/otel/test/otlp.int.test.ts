import { createScheduler, every, type Lock, manual } from '@escapement/core'
import { otel } from '@escapement/otel'
import { SpanKind, trace } from '@opentelemetry/api'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode, type Received, receiver, type WireSpan } from './otlp.ts'
import { unregister } from './tracing.ts'

// Runs of every kind, exported in batches over HTTP to another process, in both encodings.

let spans: WireSpan[]
let json: Received[]

const log = { debug() {}, info() {}, warn() {}, error() {} }

/** Answers after 30 ms: as if another instance had been asked first. */
const lock: Lock = {
  claim: () =>
    new Promise((resolve) => {
      const claim = {
        granted: true as const,
        held: () => true,
        onLost: () => () => {},
        complete: async () => {},
        release: async () => {},
      }
      setTimeout(() => resolve(claim), 30)
    }),
}

beforeAll(async () => {
  const sink = await receiver()
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', 'service.instance.id': 'web-1' }),
    spanProcessors: [
      new BatchSpanProcessor(new ProtoExporter({ url: `${sink.url}/proto` })),
      new BatchSpanProcessor(new JsonExporter({ url: `${sink.url}/json` })),
    ],
  })
  provider.register()
  const tracer = trace.getTracer('app')
  const scheduler = createScheduler({ logger: log, plugins: [otel(), { name: 'lock', lock }] })

  let ticks = 0
  const ticked = new Promise<void>((resolve) => {
    scheduler.job('ticking', every('1s'), () => {
      if (++ticks === 2) resolve()
    })
  })
  scheduler.job('flaky', manual(), { retry: { retries: 2, delay: 1 } }, async (run) => {
    await tracer.startActiveSpan('query', async (span) => {
      await Promise.resolve()
      span.end()
    })
    if (run.attempt === 1) throw new TypeError('täglich "quoted"\nand more')
  })
  scheduler.job('broken', manual(), () => Promise.reject(new Error('disk full')))
  await scheduler.start()
  await tracer.startActiveSpan('POST /reports', { kind: SpanKind.SERVER }, async (span) => {
    await scheduler.run('flaky', undefined, { wait: true })
    span.end()
  })
  await scheduler.run('broken', undefined, { wait: true })
  await ticked
  await scheduler.stop()
  await provider.shutdown()

  const received = await sink.received()
  await sink.close()
  unregister()
  spans = received.filter(({ url }) => url === '/proto').flatMap(({ body }) => decode(body))
  json = received.filter(({ url }) => url === '/json')
})
afterAll(unregister)

const named = (name: string) => spans.filter((span) => span.name === name)
const one = (name: string): WireSpan => {
  expect(named(name), name).toHaveLength(1)
  return named(name)[0] as WireSpan
}

describe('what another process receives', () => {
  test('has ids of 16 and 8 bytes, each span once', () => {
    expect(spans.length).toBeGreaterThanOrEqual(12)
    for (const span of spans) {
      expect(span.traceId).toMatch(/^[0-9a-f]{32}$/)
      expect(span.spanId).toMatch(/^[0-9a-f]{16}$/)
    }
    expect(new Set(spans.map((span) => span.spanId)).size).toBe(spans.length)
  })

  test('has one root per run, and every parent in its trace', () => {
    const traces = byTrace(spans)
    for (const members of traces.values()) {
      const roots = members.filter((span) => span.parentSpanId === '')
      expect(roots.map((span) => span.name)).toHaveLength(1)
      const ids = new Set(members.map((span) => span.spanId))
      for (const span of members) if (span.parentSpanId) expect(ids).toContain(span.parentSpanId)
    }
    const roots = spans.filter((span) => span.name.startsWith('job ') && span.parentSpanId === '')
    const runs = new Set(roots.map((span) => span.attributes['job.run.id']))
    expect(runs.size).toBe(roots.length)
    expect(roots.map((span) => span.name).sort()).toEqual([
      'job broken',
      'job flaky',
      'job ticking',
      'job ticking',
    ])
  })

  test('has children within the times of their parents', () => {
    for (const child of spans.filter((span) => span.parentSpanId)) {
      const parent = spans.find((span) => span.spanId === child.parentSpanId) as WireSpan
      // The SDK takes each span's start from the clock of milliseconds.
      const slack = 2_000_000n
      expect(child.start + slack, `${child.name} in ${parent.name}`).toBeGreaterThanOrEqual(parent.start)
      expect(child.end - slack, `${child.name} in ${parent.name}`).toBeLessThanOrEqual(parent.end)
    }
  })

  test('links a run to the request that asked for it', () => {
    const { traceId, spanId } = one('POST /reports')
    expect(one('job flaky').links).toEqual([{ traceId, spanId }])
    expect(one('job flaky').traceId).not.toBe(traceId)
    expect(one('job broken').links).toEqual([])
  })

  test('tells status, outcome and error', () => {
    expect(one('job flaky')).toMatchObject({
      status: '',
      kind: 'SPAN_KIND_INTERNAL',
      scope: '@escapement/otel',
    })
    expect(one('job flaky').attributes).toMatchObject({ 'job.outcome': 'succeeded', 'job.attempt': '2' })
    expect(
      named('job.attempt').map((span) => [span.attributes['job.attempt'], span.status, span.events]),
    ).toEqual([
      ['1', 'STATUS_CODE_ERROR', ['exception']],
      ['2', '', []],
    ])
    expect(one('job broken')).toMatchObject({ status: 'STATUS_CODE_ERROR', events: ['exception'] })
    expect(one('job broken').attributes).toMatchObject({ 'job.outcome': 'failed', 'error.type': 'Error' })
  })

  test('has the handler under its attempt, and the wait for the lock under its run', () => {
    const attempts = named('job.attempt').map((span) => span.spanId)
    expect(named('query').map((span) => span.parentSpanId)).toEqual(attempts)
    const locks = named('job.lock.acquire')
    expect(locks).toHaveLength(4)
    for (const lock of locks) expect(Number(lock.end - lock.start) / 1e6).toBeGreaterThanOrEqual(25)
  })

  test('names the service and the instance', () => {
    for (const span of spans) {
      expect(span.resource).toMatchObject({ 'service.name': 'shop', 'service.instance.id': 'web-1' })
    }
  })

  test('is the same in JSON', () => {
    interface JsonSpan {
      traceId: string
      spanId: string
      parentSpanId?: string
      name: string
    }
    interface Export {
      resourceSpans: { scopeSpans: { spans: JsonSpan[] }[] }[]
    }
    const all = json
      .map(({ body }) => JSON.parse(body.toString()) as Export)
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap((scope) => scope.spans)
    const key = (span: JsonSpan | WireSpan) =>
      [span.traceId, span.spanId, span.parentSpanId ?? '', span.name].join()
    expect(all.map(key).sort()).toEqual(spans.map(key).sort())
  })
})

function byTrace(all: WireSpan[]): Map<string, WireSpan[]> {
  const groups = new Map<string, WireSpan[]>()
  for (const span of all) groups.set(span.traceId, [...(groups.get(span.traceId) ?? []), span])
  return groups
}
