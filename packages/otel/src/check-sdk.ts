import { context, createContextKey, metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api'

interface SharedApi {
  version: string
  trace?: unknown
  metrics?: unknown
}

/**
 * What is wrong with the SDK as seen from here; undefined when it is fine or there is none.
 *
 * An API copy that is newer than the one the SDK registered with ignores it without a word.
 */
export function sdkFault(): string | undefined {
  const shared = (globalThis as Record<symbol, unknown>)[Symbol.for('opentelemetry.js.api.1')] as
    | SharedApi
    | undefined
  if (!shared?.trace && !shared?.metrics) return
  const blind =
    (shared.trace && trace.getTracerProvider() !== shared.trace) ||
    (shared.metrics && metrics.getMeterProvider() !== shared.metrics)
  if (blind) {
    return (
      `the OpenTelemetry SDK registered with @opentelemetry/api ${shared.version}, and the copy that ` +
      '@escapement/otel loads is newer and does not see it: there will be no spans and metrics of jobs. ' +
      'Install one version for all: `npm ls @opentelemetry/api` shows who brings which'
    )
  }
  if (shared.trace && !nests()) {
    return (
      'an OpenTelemetry tracer provider is registered without a context manager: what handlers trace will ' +
      'not belong to their runs. Register the provider of @opentelemetry/sdk-trace-node, or a context manager'
    )
  }
}

function nests(): boolean {
  const key = createContextKey('escapement')
  return context.with(ROOT_CONTEXT.setValue(key, true), () => context.active().getValue(key) === true)
}
