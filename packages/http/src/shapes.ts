import { EscapementError } from '@escapement/core'
import { fail, show } from '@escapement/core/plugin'

/** The arguments of `attach()`. @throws ERR_ESCAPEMENT_OPTION */
export function checkAttached(scheduler: unknown, server: unknown): void {
  if (isServer(scheduler) && isScheduler(server)) {
    const message = 'attach() takes the scheduler first: attach(scheduler, server)'
    throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
  }
  checkScheduler(scheduler, 'attach()')
  if (!isServer(server)) fail('attach: server', SERVER + hint(server), server)
}

const SERVER = 'what app.listen() or http.createServer() returns'

/** What to give instead, for what is often taken for a server. */
function hint(given: unknown): string {
  if (isServer(member(given, 'server'))) return ' (of this app: app.server)'
  if (typeof member(given, 'then') === 'function') return ' (await it first)'
  if (typeof member(given, 'listen') === 'function')
    return ' (an app is none: const server = app.listen(3000))'
  return ''
}

// By their shapes: a scheduler may come from another copy of core.
function isScheduler(given: unknown): boolean {
  return hasMethods(given, ['start', 'stop', 'run'])
}

function isServer(given: unknown): boolean {
  return hasMethods(given, ['listen', 'close', 'address', 'on'])
}

function member(given: unknown, name: string): unknown {
  return (given as Record<string, unknown> | null | undefined)?.[name]
}

function hasMethods(given: unknown, names: string[]): boolean {
  return names.every((name) => typeof member(given, name) === 'function')
}

/** @throws ERR_ESCAPEMENT_OPTION */
export function checkScheduler(given: unknown, call: string): void {
  if (isScheduler(given)) return
  const message = `${call} takes the scheduler first, one made by createScheduler(), but got ${show(given)}`
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
}
