import { bindings } from '../log/logger.ts'
import { currentRun } from './context.ts'

/** Called as pino's `mixin`; its `transform` makes it a format of winston. */
export interface LogBindings {
  (): Record<string, unknown>
  transform<Info extends object>(info: Info): Info
}

/**
 * Ties each line that the app's own logger writes inside of a handler to its run, however deep in the code:
 * adds `job`, `run_id`, `tick`, with a tracing plugin `trace_id`, `span_id`, `trace_flags`, and `attempt` from
 * the second on. Lines from elsewhere stay as they are.
 *
 * @example
 * const logger = pino({ mixin: logBindings() })
 *
 * @example
 * const logger = winston.createLogger({ format: format.combine(logBindings(), format.json()), transports })
 */
export function logBindings(): LogBindings {
  const current = (): Record<string, unknown> => {
    const run = currentRun()
    return run ? bindings(run) : {}
  }
  return Object.assign(current, {
    // What the line says itself comes first: run.log has added these already.
    transform: <Info extends object>(info: Info): Info => Object.assign(info, { ...current(), ...info }),
  })
}
