import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import { type Duration, EscapementError, type Handler, parseDuration, type Run } from '@escapement/core'
import { Piscina } from 'piscina'
import type { Sent, Told } from './interfaces.ts'

export interface WorkerOptions {
  /** Runs at a time; further ones wait. Default 1. */
  threads?: number
  /** How long a thread is kept for the next run. Default 10 s. */
  idle?: Duration
  /** How long after an abort the thread may settle by itself before it is ended. Default 500 ms. */
  grace?: Duration
  /** V8's limits for a thread, as in `new Worker()`, e.g. `{ maxOldGenerationSizeMb: 512 }`. */
  resourceLimits?: {
    maxOldGenerationSizeMb?: number
    maxYoungGenerationSizeMb?: number
    stackSizeMb?: number
  }
}

/**
 * Makes a handler of a module: its default export runs in a thread of its own, so that work for the CPU does
 * not keep the server waiting. `run.data` goes in and the result comes out by structured clone; log lines and
 * progress come back while it runs. A timeout, a cancellation and a shutdown end the thread.
 *
 * @param module `new URL('./render.js', import.meta.url)`, or an absolute path.
 * @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION
 *
 * @example
 * scheduler.job('render', '0 * * * *', { timeout: '5m' }, worker(new URL('./render.js', import.meta.url)))
 * // render.js
 * export default async (run) => { run.progress(0.5); return render(run.data) }
 */
export function worker<Data = unknown, Result = unknown>(
  module: URL | string,
  { threads = 1, idle = '10s', grace = '500ms', resourceLimits = {} }: WorkerOptions = {},
): Handler<Data, Result> {
  const url = module instanceof URL ? module : pathToFileURL(module)
  if (url.protocol !== 'file:' || !existsSync(fileURLToPath(url))) {
    throw new EscapementError('ERR_ESCAPEMENT_OPTION', `worker: there is no module ${url.href}`)
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_OPTION',
      `worker: threads must be a number from 1, but is ${threads}`,
    )
  }
  const idleTimeout = parseDuration(idle, 'worker: idle')
  const graceMs = parseDuration(grace, 'worker: grace', { max: 60_000 })
  let pool: Piscina | undefined

  return async (run) => {
    run.signal.throwIfAborted()
    // Not before the first run: an app that never runs the job needs no threads.
    pool ??= new Piscina({
      filename: new URL('./thread.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout,
      resourceLimits,
    })
    const { port1, port2 } = new MessageChannel()
    port1.on('message', (told: Told) => hear(run, told))
    const end = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const abort = () => {
      port1.postMessage(String(run.signal.reason?.message ?? 'aborted'))
      timer = setTimeout(() => end.abort(), graceMs)
    }
    run.signal.addEventListener('abort', abort, { once: true })
    try {
      const task = { module: url.href, run: send(run), port: port2 }
      return (await pool.run(task, { transferList: [port2], signal: end.signal })) as Result
    } catch (error) {
      throw run.signal.aborted ? run.signal.reason : error
    } finally {
      clearTimeout(timer)
      run.signal.removeEventListener('abort', abort)
      port1.close()
    }
  }
}

function send(run: Run<unknown>): Sent {
  const { id, key, tick, trigger, data, late, attempt, start, fence, traceId, traceparent } = run
  const job = { name: run.job.name }
  return { id, key, job, tick: { ...tick }, trigger, data, late, attempt, start, fence, traceId, traceparent }
}

function hear(run: Run<unknown>, told: Told): void {
  if (told.kind === 'progress') run.progress(told.fraction, told.note)
  else run.log[told.level](told.fields, told.message)
}
