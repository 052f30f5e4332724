import { currentRun } from '@escapement/core'
import { context, isSpanContextValid, trace } from '@opentelemetry/api'

/**
 * Environment variables for a child process, with `TRACEPARENT` and `TRACESTATE` of the span we are in, so
 * that what the child traces belongs to the run. Without a span: the environment as it is.
 *
 * @param env What to add to. Default `process.env`.
 *
 * @example
 * spawn('pg_dump', ['app'], { env: traceEnv(), signal: run.signal })
 */
export function traceEnv(
  env: Record<string, string | undefined> = process.env,
): Record<string, string | undefined> {
  const span = trace.getSpanContext(context.active())
  if (!span || !isSpanContextValid(span)) {
    const traceparent = currentRun()?.traceparent
    return traceparent ? { ...env, TRACEPARENT: traceparent } : { ...env }
  }
  const flags = span.traceFlags.toString(16).padStart(2, '0')
  const added: Record<string, string> = { TRACEPARENT: `00-${span.traceId}-${span.spanId}-${flags}` }
  const state = span.traceState?.serialize()
  if (state) added.TRACESTATE = state
  return { ...env, ...added }
}
