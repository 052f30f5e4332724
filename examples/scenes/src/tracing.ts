import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

/**
 * Registers an OpenTelemetry SDK: spans go to OTEL_EXPORTER_OTLP_ENDPOINT where it is set; without it they
 * only give their ids to runs, log lines and mails.
 */
export function startTracing(serviceName: string): () => Promise<void> {
  const spanProcessors = process.env.OTEL_EXPORTER_OTLP_ENDPOINT
    ? [new BatchSpanProcessor(new OTLPTraceExporter())]
    : []
  const resource = resourceFromAttributes({ 'service.name': serviceName })
  const provider = new NodeTracerProvider({ resource, spanProcessors })
  provider.register()
  return () => provider.shutdown()
}
