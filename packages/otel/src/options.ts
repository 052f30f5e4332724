import { type Duration, parseDuration, type Run } from '@escapement/core'
import { checkKeys, flag, func, oneOf } from '@escapement/core/plugin'
import type { Attributes } from '@opentelemetry/api'

export interface OtelOptions {
  /**
   * What a run that was asked for (`scheduler.run()`, `job.run()`) has to do with the span that asked, usually
   * of an HTTP request. `'link'`: a trace of its own that links to it. `'parent'`: part of its trace.
   * `'none'`: nothing. Default `'link'`.
   */
  propagation?: 'link' | 'parent' | 'none'
  /** More attributes for the span of each run. */
  attributes?: (run: Run) => Attributes
  /**
   * Where a trace can be seen, e.g. `(id) => 'https://jaeger.example/trace/' + id`: becomes `run.traceUrl` of runs
   * whose trace is sampled, is in the log line of one that ended badly, and in its alerts.
   */
  traceUrl?: (traceId: string) => string
  /** A lock that took longer than this to answer gets a span of its own. Default 10 ms. */
  lockSpanOver?: Duration
  /** A span without length for each tick that was skipped or missed. Default false: metrics count them. */
  skipSpans?: boolean
  /** Adds `faas.trigger`, `faas.cron` and alike, for backends that know those. Default false. */
  faas?: boolean
  /** Records metrics. Default true. */
  metrics?: boolean
}

/** Options as the plugin reads them: checked, none missing, in milliseconds. */
export type Settings = Required<Omit<OtelOptions, 'attributes' | 'traceUrl' | 'lockSpanOver'>> &
  Pick<OtelOptions, 'attributes' | 'traceUrl'> & { lockSpanOver: number }

const KNOWN = {
  propagation: 1,
  attributes: 1,
  traceUrl: 1,
  lockSpanOver: 1,
  skipSpans: 1,
  faas: 1,
  metrics: 1,
} satisfies Record<keyof OtelOptions, 1>

/** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION */
export function settings(options: OtelOptions): Settings {
  checkKeys(options, KNOWN, 'otel() option')
  return {
    propagation: oneOf('otel: propagation', options.propagation ?? 'link', ['link', 'parent', 'none']),
    attributes: func('otel: attributes', options.attributes),
    traceUrl: func('otel: traceUrl', options.traceUrl),
    lockSpanOver: parseDuration(options.lockSpanOver ?? 10, 'otel: lockSpanOver', { min: 0 }),
    skipSpans: flag('otel: skipSpans', options.skipSpans ?? false),
    faas: flag('otel: faas', options.faas ?? false),
    metrics: flag('otel: metrics', options.metrics ?? true),
  }
}
