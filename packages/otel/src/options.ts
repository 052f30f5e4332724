import { type Duration, EscapementError, parseDuration, type Run } from '@escapement/core'
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

const KNOWN = ['propagation', 'attributes', 'traceUrl', 'lockSpanOver', 'skipSpans', 'faas', 'metrics']

/** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION */
export function settings(options: OtelOptions): Settings {
  for (const key of Object.keys(options)) {
    if (!KNOWN.includes(key)) refuse(`otel() has no option '${key}': expected one of ${KNOWN.join(', ')}`)
  }
  const {
    propagation = 'link',
    attributes,
    traceUrl,
    lockSpanOver = 10,
    skipSpans = false,
    faas = false,
    metrics = true,
  } = options
  if (!['link', 'parent', 'none'].includes(propagation)) {
    refuse(`otel's propagation must be 'link', 'parent' or 'none', but is ${String(propagation)}`)
  }
  if (attributes !== undefined && typeof attributes !== 'function') {
    refuse(`otel's attributes must be a function of the run, but is ${typeof attributes}`)
  }
  if (traceUrl !== undefined && typeof traceUrl !== 'function') {
    refuse(`otel's traceUrl must be a function of the trace id, but is ${typeof traceUrl}`)
  }
  for (const [name, value] of Object.entries({ skipSpans, faas, metrics })) {
    if (typeof value !== 'boolean') refuse(`otel's ${name} must be true or false, but is ${String(value)}`)
  }
  const over = parseDuration(lockSpanOver, "otel's lockSpanOver", { min: 0 })
  return { propagation, attributes, traceUrl, lockSpanOver: over, skipSpans, faas, metrics }
}

function refuse(message: string): never {
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
}
