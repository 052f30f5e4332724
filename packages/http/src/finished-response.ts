import type { IncomingMessage, ServerResponse } from 'node:http'
import { currentRun } from '@escapement/core'

const METHODS = ['setHeader', 'appendHeader', 'removeHeader', 'writeHead', 'write', 'end'] as const

/** Marks what is watched already: a middleware may be mounted many times. */
const GUARDED = Symbol.for('escapement.http.guarded')

function isGuarded(target: object): boolean {
  if (GUARDED in target) return true
  Object.defineProperty(target, GUARDED, { value: true })
  return false
}

/**
 * Reports a run that writes to a response which was sent long ago: it kept `req` or `res` beyond its request.
 * For development: it wraps the methods of every response.
 */
export function guardResponse(req: IncomingMessage, res: ServerResponse): void {
  if (isGuarded(res)) return
  const report = reporter(req, res)
  for (const name of METHODS) {
    const original = res[name] as (...args: unknown[]) => unknown
    if (typeof original !== 'function') continue
    Object.defineProperty(res, name, {
      configurable: true,
      writable: true,
      value(this: ServerResponse, ...args: unknown[]) {
        report(`res.${name}()`)
        return original.apply(this, args)
      },
    })
  }
}

/** The same for properties that write when they are assigned, such as Koa's `ctx.body`. */
export function guardSetters(
  target: object,
  names: readonly string[],
  req: IncomingMessage,
  res: ServerResponse,
): void {
  if (isGuarded(target)) return
  const report = reporter(req, res)
  for (const name of names) {
    const inherited = find(target, name)
    if (!inherited?.set) continue
    const { get, set } = inherited
    Object.defineProperty(target, name, {
      configurable: true,
      enumerable: inherited.enumerable ?? true,
      ...(get && { get }),
      set(value: unknown) {
        report(`ctx.${name} =`)
        set.call(this, value)
      },
    })
  }
}

/** Warns once a response. */
function reporter(req: IncomingMessage, res: ServerResponse): (what: string) => void {
  let reported = false
  return (what) => {
    if (reported || !(res.writableEnded || res.destroyed)) return
    const run = currentRun()
    if (!run) return
    reported = true
    const request = `${req.method} ${(req as { originalUrl?: string }).originalUrl ?? req.url}`
    run.log.warn({ request, call: what }, `${run.job.name} writes to the finished response of ${request}`)
  }
}

function find(target: object, name: string): PropertyDescriptor | undefined {
  for (let object = target; object; object = Object.getPrototypeOf(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, name)
    if (descriptor) return descriptor
  }
  return undefined
}
