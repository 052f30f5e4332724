import type { Server } from 'node:net'

/** The parts of an Express app that are used here. */
export interface ExpressApp {
  listen?: (...args: unknown[]) => Server
  parent?: ExpressApp
  on?(event: 'mount', listener: (parent: ExpressApp) => void): unknown
}

/** For runtimes that do not report listening servers: learns of those made by `app.listen()`. */
export function wrapListen(app: ExpressApp, onListening: (server: Server) => void): void {
  const { listen } = app
  if (typeof listen !== 'function') return
  app.listen = function (this: ExpressApp, ...args) {
    const server = listen.apply(this, args)
    if (server.listening) onListening(server)
    else server.once('listening', () => onListening(server))
    return server
  }
}
