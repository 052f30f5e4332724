import type { Host, Plugin } from '@escapement/core'
import { sdkFault } from './check-sdk.ts'
import { Meters } from './meters.ts'
import { type OtelOptions, settings } from './options.ts'
import { spans } from './spans.ts'

/**
 * A trace per run, and metrics of runs, through the OpenTelemetry SDK of the app, registered before or after
 * this. Without an SDK it does nothing.
 *
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * const scheduler = createScheduler({ plugins: [redisLock({ clients: [redis] }), otel()] })
 */
export function otel(options: OtelOptions = {}): Plugin {
  const checked = settings(options)
  const { end, ...hooks } = spans(checked)
  const meters = checked.metrics ? new Meters() : undefined
  let told = false

  /** Says it once: at start, or when an SDK that came later is at fault. */
  function check(host: Host): void {
    const fault = told ? undefined : sdkFault()
    if (!fault) return
    told = true
    host.log.warn(fault)
  }

  return {
    name: 'otel',
    hooks,
    setup(host) {
      host.on('settled', end)
      if (meters) {
        host.on('running', (run) => meters.running(run))
        host.on('settled', (run) => meters.settled(run))
        host.on('stop', () => meters.stop(host))
      }
      // An SDK may come after the start: looked at once more when the first run has ended.
      const undo = host.on('settled', () => {
        undo()
        check(host)
      })
    },
    start(host) {
      meters?.start(host)
      check(host)
    },
  }
}
