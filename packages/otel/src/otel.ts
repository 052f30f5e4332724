import type { Plugin, Run } from '@escapement/core'
import type { Attributes } from '@opentelemetry/api'
import { spans } from './spans.ts'

export interface OtelOptions {
  /**
   * What a run that was asked for (`scheduler.run()`, `job.run()`) has to do with the span that asked, usually
   * of an HTTP request. `'link'`: a trace of its own that links to it. `'parent'`: part of its trace.
   * `'none'`: nothing. Default `'link'`.
   */
  propagation?: 'link' | 'parent' | 'none'
  /** More attributes for the span of each run. */
  attributes?: (run: Run) => Attributes
  /** A span without length for each tick that was skipped or missed. Default false: metrics count them. */
  skipSpans?: boolean
  /** Adds `faas.trigger`, `faas.cron` and alike, for backends that know those. Default false. */
  faas?: boolean
}

/**
 * A trace per run, through the OpenTelemetry SDK of the app. Needs none: without one it does nothing.
 *
 * @example
 * const scheduler = createScheduler({ plugins: [redisLock({ clients: [redis] }), otel()] })
 */
export function otel(options: OtelOptions = {}): Plugin {
  const { end, ...hooks } = spans(options)
  return {
    name: 'otel',
    hooks,
    attach(host) {
      host.on('settled', end)
    },
  }
}
