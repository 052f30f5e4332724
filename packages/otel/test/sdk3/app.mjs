// A traced process on SDK 3: what run.mjs copies beside its node_modules.
import { createScheduler, manual } from '@escapement/core'
import { otel } from '@escapement/otel'
import { context, metrics, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

const exporter = new OTLPTraceExporter({ url: `${process.argv[2]}/v1/traces` })
const provider = new TracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop' }),
  spanProcessors: [new BatchSpanProcessor({ exporter })],
})
const exported = new InMemoryMetricExporter(0)
const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 60_000 })
const meters = new MeterProvider({ readers: [reader] })

const warnings = []
const logger = {
  debug() {},
  info() {},
  warn: (line) => typeof line === 'string' && warnings.push(line),
  error() {},
}
const scheduler = createScheduler({ logger, plugins: [otel()] })
scheduler.job('flaky', manual(), { retry: { retries: 1, delay: 1 } }, async (run) => {
  await Promise.resolve()
  trace.getTracer('app').startSpan('query').end()
  if (run.attempt === 1) throw new TypeError('again')
})
scheduler.job('broken', manual(), () => Promise.reject(new Error('disk full')))
await scheduler.start()

// The SDK comes late.
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
trace.setGlobalTracerProvider(provider)
metrics.setGlobalMeterProvider(meters)

const runs = []
await trace.getTracer('app').startActiveSpan('POST /reports', { kind: SpanKind.SERVER }, async (span) => {
  runs.push(await scheduler.run('flaky', undefined, { wait: true }))
  span.end()
})
runs.push(await scheduler.run('broken', undefined, { wait: true }))
await meters.forceFlush()
await scheduler.stop()
const names = exported.getMetrics().flatMap((all) => all.scopeMetrics.flatMap((scope) => scope.metrics))
await provider.shutdown()
await meters.shutdown()
const traceIds = runs.map((run) => run.traceId)
console.log(JSON.stringify({ traceIds, warnings, metrics: names.map(({ descriptor }) => descriptor.name) }))
