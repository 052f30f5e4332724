import { EscapementError, show } from '../errors.ts'
import type { Handler } from '../types/index.ts'

/**
 * What a job calls: a function of the run that returns a value or a promise.
 *
 * @throws ERR_ESCAPEMENT_HANDLER
 */
export function parseHandler(job: string, given: unknown): Handler {
  if (typeof given !== 'function') {
    refuse(`job ${show(job)} needs a handler as its last argument: a function, but it is ${show(given)}`)
  }
  const kind = Object.prototype.toString.call(given)
  if (kind === '[object GeneratorFunction]' || kind === '[object AsyncGeneratorFunction]') {
    refuse(
      `the handler of job ${show(job)} is a generator, which runs only while it is iterated: write async (run) => { … } with await instead of yield`,
    )
  }
  if (given.length > 1) {
    refuse(
      `the handler of job ${show(job)} takes ${given.length} arguments, but is called with the run only: return a promise instead of calling done(), e.g. (run) => new Promise((resolve, reject) => work((error) => (error ? reject(error) : resolve())))`,
    )
  }
  return given as Handler
}

/**
 * Refuses what a handler returns though nothing waits for it.
 *
 * @throws ERR_ESCAPEMENT_HANDLER
 */
export function checkResult(job: string, result: unknown): void {
  if (typeof result !== 'object' || result === null) return
  const instead = insteadOf(result)
  if (instead) refuse(`the handler of job ${show(job)} returned ${instead}`)
}

function insteadOf(result: object): string | undefined {
  try {
    const { pipe, kill, pid } = result as { pipe?: unknown; kill?: unknown; pid?: unknown }
    if (typeof pipe === 'function') {
      return "a stream, which nothing waits for: write await pipeline(source, target), from 'node:stream/promises'"
    }
    if (typeof kill === 'function' && typeof pid === 'number') {
      return "a child process, which nothing waits for: write await once(child, 'exit'), from 'node:events'"
    }
    const kind = Object.prototype.toString.call(result)
    if (Symbol.asyncIterator in result || kind === '[object Generator]') {
      return 'something to iterate, which nothing iterates: write for await (const part of parts) { … }'
    }
  } catch {
    // A Proxy or a getter that throws: it is no stream.
  }
  return undefined
}

function refuse(message: string): never {
  throw new EscapementError('ERR_ESCAPEMENT_HANDLER', message)
}
