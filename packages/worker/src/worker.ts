import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import { type Duration, EscapementError, type Handler, parseDuration, type Run } from '@escapement/core'
import { checkKeys, describe, fail, integer, isError, number } from '@escapement/core/plugin'
import { Piscina } from 'piscina'

import { isThrown, unpack } from './cross.ts'
import type { Sent, Told } from './interfaces.ts'

type PoolOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>

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
  options: WorkerOptions = {},
): Handler<Data, Result> {
  const url = locate(module)
  const { graceMs, ...threads } = parseOptions(options)
  let pool: Piscina | undefined

  return async (run) => {
    run.signal.throwIfAborted()
    // Not before the first run: an app that never runs the job needs no threads.
    pool ??= openPool(threads, (broken) => {
      if (pool === broken) pool = undefined
    })
    const used = pool
    const { port1, port2 } = new MessageChannel()
    port1.on('message', (told: Told) => hear(run, told))
    const end = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const abort = () => {
      port1.postMessage(describe(run.signal.reason).message)
      timer = setTimeout(() => end.abort(), graceMs)
    }
    run.signal.addEventListener('abort', abort, { once: true })
    try {
      const task = { module: url.href, run: send(run), port: port2 }
      const done = used.run(task, { transferList: [port2], signal: end.signal })
      return (await Promise.race([done, broken(used, end.signal)])) as Result
    } catch (error) {
      throw run.signal.aborted ? run.signal.reason : failure(error)
    } finally {
      clearTimeout(timer)
      end.abort()
      run.signal.removeEventListener('abort', abort)
      port1.close()
    }
  }
}

function parseOptions(options: WorkerOptions): PoolOptions & { graceMs: number } {
  checkKeys(options, { threads: 1, idle: 1, grace: 1, resourceLimits: 1 }, 'worker() option')
  const { threads = 1, idle = '10s', grace = '500ms', resourceLimits = {} } = options
  integer('worker: threads', threads, 1)
  checkKeys(resourceLimits, LIMITS, 'worker: resourceLimits option')
  for (const [name, mb] of Object.entries(resourceLimits))
    number(`worker: resourceLimits.${name}`, mb, 1, 1_048_576)
  const idleTimeout = parseDuration(idle, 'worker: idle')
  const graceMs = parseDuration(grace, 'worker: grace', { max: 60_000 })
  return { minThreads: 0, maxThreads: threads, idleTimeout, resourceLimits, graceMs }
}

const BUNDLED =
  'a thread cannot start. Where the app is bundled, leave @escapement/worker and piscina out of the bundle (external)'

/** A pool whose threads that cannot start end nothing but it. */
function openPool(options: PoolOptions, onBroken: (pool: Piscina) => void): Piscina {
  const pool = new Piscina({ ...options, filename: threadFile() })
  pool.once('error', () => {
    onBroken(pool)
    void pool.destroy().catch(() => {})
  })
  pool.on('error', () => {})
  return pool
}

/** The file that runs in a thread. It is not there in a bundle of the app. */
function threadFile(): string {
  let file: URL | undefined
  try {
    file = new URL('./thread.js', import.meta.url)
  } catch {
    // Some bundlers leave nothing of import.meta.
  }
  if (file && existsSync(file)) return file.href
  throw new EscapementError('ERR_ESCAPEMENT_HANDLER', `worker: ${BUNDLED}`)
}

/** Rejects when a thread of the pool cannot start: its run would wait for ever. */
function broken(pool: Piscina, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onError = (cause: unknown) => {
      const message = `worker: ${BUNDLED}: ${describe(cause).message}`
      reject(new EscapementError('ERR_ESCAPEMENT_HANDLER', message, { cause }))
    }
    pool.once('error', onError)
    over.addEventListener('abort', () => pool.off('error', onError), { once: true })
  })
}

function failure(error: unknown): unknown {
  if (isThrown(error)) return unpack(error)
  if (isError(error)) return error
  // A DataCloneError of the thread arrives as an empty object.
  const message = 'what the thread returned cannot be sent: return data that structured clone takes'
  return new EscapementError('ERR_ESCAPEMENT_DATA', message)
}

const LIMITS = { maxOldGenerationSizeMb: 1, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 }

function locate(module: unknown): URL {
  const expected = 'an absolute path or a file: URL, as new URL("./render.js", import.meta.url)'
  if (!(module instanceof URL) && (typeof module !== 'string' || !isAbsolute(module))) {
    fail('worker: module', expected, module)
  }
  const url = module instanceof URL ? module : pathToFileURL(module)
  if (url.protocol !== 'file:') fail('worker: module', expected, url.href)
  if (!existsSync(url)) fail('worker: module', 'a file that exists', url.href)
  return url
}

function send(run: Run<unknown>): Sent {
  const { id, key, tick, cause, data, late, attempt, restarts, fence, traceId, traceparent } = run
  const job = { name: run.job.name }
  return {
    id,
    key,
    job,
    tick: { ...tick },
    cause,
    data,
    late,
    attempt,
    restarts,
    fence,
    traceId,
    traceparent,
  }
}

function hear(run: Run<unknown>, told: Told): void {
  if (told.kind === 'progress') run.progress(told.fraction, told.note)
  else run.log[told.level](told.fields, told.message)
}
