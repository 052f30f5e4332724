import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

/**
 * Where Jaeger shows traces: JAEGER_URL, or its usual port on the host of OTEL_EXPORTER_OTLP_ENDPOINT. Undefined
 * when neither is set: spans go nowhere then.
 */
export function jaegerUrl(): string | undefined {
  const { JAEGER_URL, OTEL_EXPORTER_OTLP_ENDPOINT } = process.env
  if (JAEGER_URL) return JAEGER_URL.replace(/\/$/, '')
  if (OTEL_EXPORTER_OTLP_ENDPOINT) return `http://${new URL(OTEL_EXPORTER_OTLP_ENDPOINT).hostname}:16686`
}

/**
 * Registers an OpenTelemetry SDK. Spans go to OTEL_EXPORTER_OTLP_ENDPOINT, or with JAEGER_URL alone to
 * http://localhost:4318; without either they only give their ids to runs, log lines and mails.
 */
export function startTracing(serviceName: string): () => Promise<void> {
  const spanProcessors = jaegerUrl() ? [new BatchSpanProcessor(new OTLPTraceExporter())] : []
  const resource = resourceFromAttributes({ 'service.name': serviceName })
  const provider = new NodeTracerProvider({ resource, spanProcessors })
  provider.register()
  return () => provider.shutdown()
}
