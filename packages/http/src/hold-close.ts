import type { Server } from 'node:net'

/** Called when the server is being closed. What it returns is waited for before the server says 'close'. */
export type OnClose = () => Promise<void> | undefined

// On the server itself, so that two copies of the package wrap it once.
const key = Symbol.for('escapement.http.close')
type Wrapped = Server & { [key]?: Set<OnClose> }

/**
 * Calls `onClose` at `server.close()`, and holds the server's 'close' event until its promise settles: then
 * `close(callback)`, `once('close')`, `await using` and every shutdown library wait as well.
 *
 * The event alone comes too late to begin with: a kept-alive connection delays it by seconds, an event
 * stream for ever.
 */
export function holdClose(server: Server, onClose: OnClose): () => void {
  const wrapped = server as Wrapped
  wrapped[key] ??= wrap(server)
  const callbacks = wrapped[key]
  callbacks.add(onClose)
  return () => callbacks.delete(onClose)
}

function wrap(server: Server): Set<OnClose> {
  const callbacks = new Set<OnClose>()
  const closing = () => [...callbacks].flatMap((callback) => callback() ?? [])
  const { close } = server
  server.close = function (this: Server, ...args) {
    if (server.listening) hold(server, closing())
    return close.apply(this, args)
  }
  // For a close() that was taken from the server before it was wrapped. The event may be an old one, of a
  // server that listens again.
  server.on('close', () => {
    if (!server.listening) void Promise.allSettled(closing())
  })
  return callbacks
}

function hold(server: Server, promises: Promise<void>[]): void {
  if (promises.length === 0) return
  const own = Object.getOwnPropertyDescriptor(server, 'emit')
  const emit = server.emit as (event: string | symbol, ...args: unknown[]) => boolean
  let holding = true
  let held = false
  const holdingEmit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    if (!holding || event !== 'close') return emit.call(this, event, ...args)
    held = true
    return true
  }
  server.emit = holdingEmit
  void Promise.allSettled(promises).then(() => {
    holding = false
    if (server.emit === holdingEmit) {
      if (own) server.emit = emit as Server['emit']
      else delete (server as Partial<Server>).emit
    }
    if (held) server.emit('close')
  })
}
