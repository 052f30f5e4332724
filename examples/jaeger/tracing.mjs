// The OpenTelemetry SDK. It comes before the app, so that the libraries are instrumented as they load:
//   node --import ./tracing.mjs app.mjs
import { register } from 'node:module'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)

// Where to: OTEL_EXPORTER_OTLP_ENDPOINT, or http://localhost:4318, where Jaeger listens.
export const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({
    'service.name': 'shop',
    'service.instance.id': process.env.INSTANCE ?? `web-${process.pid}`,
  }),
  spanProcessors: [
    new BatchSpanProcessor(new OTLPTraceExporter({ timeoutMillis: 2000 }), { scheduledDelayMillis: 1000 }),
  ],
})
provider.register()

registerInstrumentations({
  instrumentations: [
    // The exporter's own requests are not traced: it sees to that. Scrapes are of no interest.
    new HttpInstrumentation({ ignoreIncomingRequestHook: ({ url }) => url === '/metrics' }),
    new IORedisInstrumentation(),
    new UndiciInstrumentation(),
  ],
})
