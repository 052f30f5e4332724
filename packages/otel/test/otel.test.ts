import { createScheduler } from '@escapement/core'
import { otel } from '@escapement/otel'
import { trace } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { expect, test } from 'vitest'

test('thin', async () => {
  const exporter = new InMemorySpanExporter()
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
  const scheduler = createScheduler({ plugins: [otel()] })
  let id: string | undefined
  scheduler.job('report', '0 1 * * *', async (run) => {
    id = run.traceId
    await Promise.resolve()
    trace.getTracer('t').startSpan('inner').end()
  })
  await scheduler.start()
  await scheduler.run('report', undefined, { wait: true })
  await scheduler.stop()
  const spans = exporter.getFinishedSpans()
  expect(spans).toHaveLength(2)
})
