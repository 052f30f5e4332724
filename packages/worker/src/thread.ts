import type { Logger } from '@escapement/core'
import type { Task, Told, WorkerRun } from './interfaces.ts'

/** Runs in the thread: gives the module's default export a run that talks through the port. */
export default async function perform({ module, run, port }: Task): Promise<unknown> {
  const { default: handler } = (await import(module)) as { default?: (run: WorkerRun) => unknown }
  if (typeof handler !== 'function') throw new TypeError(`${module} has no function as its default export`)
  const controller = new AbortController()
  port.on('message', (reason: string) => controller.abort(new Error(reason)))
  const tell = (told: Told) => port.postMessage(told)
  const log = (level: keyof Logger) => (fields: object | string, message?: string) =>
    tell({ kind: 'log', level, fields, message })
  try {
    return await handler({
      ...run,
      signal: controller.signal,
      log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      progress: (fraction, note) => tell({ kind: 'progress', fraction, note }),
    })
  } finally {
    port.close()
  }
}
