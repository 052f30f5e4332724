import type { Logger } from '@escapement/core'
import { checkFraction, describe, isError, textOf } from '@escapement/core/plugin'
import { fieldsToSend, pack } from './cross.ts'
import type { Task, Told, WorkerRun } from './interfaces.ts'
import { load } from './typescript.ts'

/** Runs in the thread: gives the module's default export a run that talks through the port. */
export default async function perform({ module, run, port }: Task): Promise<unknown> {
  const controller = new AbortController()
  port.on('message', (reason: string) => controller.abort(new Error(reason)))
  const tell = (told: Told) => port.postMessage(told)
  const log = (level: keyof Logger) => (fields: object | string, message?: string) =>
    tell(toldLine(level, fields, message))
  try {
    const { default: handler } = (await load(module)) as { default?: (run: WorkerRun) => unknown }
    if (typeof handler !== 'function') throw new TypeError(`${module} has no function as its default export`)
    return await handler({
      ...run,
      signal: controller.signal,
      log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      progress: (fraction, note) => {
        checkFraction(fraction)
        tell({ kind: 'progress', fraction, note: note === undefined ? note : textOf(note) })
      },
    })
  } catch (error) {
    throw pack(error)
  } finally {
    port.close()
  }
}

/** A line that can be sent, whatever it holds: it decides no outcome. */
function toldLine(level: keyof Logger, fields: unknown, message: unknown): Told {
  const said = message === undefined ? undefined : textOf(message)
  if (typeof fields !== 'object' || fields === null)
    return { kind: 'log', level, fields: textOf(fields), message: said }
  if (!isError(fields)) return { kind: 'log', level, fields: fieldsToSend(fields), message: said }
  return {
    kind: 'log',
    level,
    fields: fieldsToSend({ error: fields }),
    message: said ?? describe(fields).message,
  }
}
