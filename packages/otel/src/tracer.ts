import { type Tracer, trace } from '@opentelemetry/api'

const NAME = '@escapement/otel'

interface Proxy {
  getDelegateTracer(name: string): Tracer | undefined
}

/**
 * Finds the SDK's tracer, also when the SDK registers late or is replaced; undefined while there is none,
 * so that a run without an SDK costs next to nothing.
 */
export function tracerFinder(): () => Tracer | undefined {
  let provider: unknown
  let tracer: Tracer | undefined
  return () => {
    const current = trace.getTracerProvider()
    if (tracer && current === provider) return tracer
    provider = current
    // The API hands out a proxy that makes empty tracers until an SDK comes.
    tracer =
      'getDelegateTracer' in current
        ? (current as unknown as Proxy).getDelegateTracer(NAME)
        : current.getTracer(NAME)
    return tracer
  }
}
