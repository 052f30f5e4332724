import { checkKeys, fail, flag } from '@escapement/core/plugin'
import { type OpenMetricsContentType, type PrometheusContentType, Registry } from 'prom-client'

export type AnyRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>

export interface PrometheusOptions {
  /** Where the families are registered. Default: a registry of its own, which also has Node's metrics. */
  registry?: AnyRegistry
  /**
   * Whether durations and outcomes carry the trace id of a run, for which the registry must be of the
   * OpenMetrics kind. Default: true; false when `registry` is given and of the other kind.
   */
  exemplars?: boolean
  /** Collects what prom-client knows of the process: CPU, memory, event loop lag, GC pauses. Default: for its own registry. */
  defaultMetrics?: boolean
  /** Upper bounds of the histograms, in seconds. Default: 10 ms to 6 h. */
  buckets?: readonly number[]
}

/** Options as the plugin reads them: checked, none missing. */
export interface Settings {
  registry: AnyRegistry
  exemplars: boolean
  defaultMetrics: boolean
  buckets: number[]
}

const BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600]
const KNOWN = {
  registry: 1,
  exemplars: 1,
  defaultMetrics: 1,
  buckets: 1,
} satisfies Record<keyof PrometheusOptions, 1>

/** @throws ERR_ESCAPEMENT_OPTION */
export function settings(options: PrometheusOptions): Settings {
  checkKeys(options, KNOWN, 'prometheus() option')
  const { registry: given, buckets = BUCKETS } = options
  if (given !== undefined && typeof given?.registerMetric !== 'function') {
    fail('prometheus: registry', 'a Registry of prom-client', given)
  }
  for (const name of ['exemplars', 'defaultMetrics'] as const) {
    if (options[name] !== undefined) flag(`prometheus: ${name}`, options[name])
  }
  const rising = (bound: number, i: number) =>
    Number.isFinite(bound) && (i === 0 || bound > (buckets[i - 1] as number))
  if (!Array.isArray(buckets) || buckets.length === 0 || !buckets.every(rising)) {
    fail('prometheus: buckets', 'an array of rising numbers of seconds', buckets)
  }
  const exemplars = options.exemplars ?? (given ? isOpen(given) : true)
  if (exemplars && given && !isOpen(given)) {
    fail(
      'prometheus: registry',
      'of the OpenMetrics kind for exemplars: setContentType(Registry.OPENMETRICS_CONTENT_TYPE)',
      given.contentType,
    )
  }
  return {
    registry: given ?? ownRegistry(exemplars),
    exemplars,
    defaultMetrics: options.defaultMetrics ?? given === undefined,
    buckets: [...buckets],
  }
}

function ownRegistry(exemplars: boolean): AnyRegistry {
  const registry: AnyRegistry = new Registry()
  if (exemplars)
    (registry as AnyRegistry as Registry<OpenMetricsContentType>).setContentType(
      Registry.OPENMETRICS_CONTENT_TYPE,
    )
  return registry
}

function isOpen(registry: AnyRegistry): boolean {
  return registry.contentType === Registry.OPENMETRICS_CONTENT_TYPE
}
