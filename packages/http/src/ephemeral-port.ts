import type { Server } from 'node:net'

/**
 * Whether a server listens on a port given by the system, as those do that test runners open for each request. Node
 * keeps what was asked for in this key: the events of a server that listened before us are over.
 */
export function onEphemeralPort(server: Server): boolean {
  return /^[46]:.*:0$/.test(String((server as { _connectionKey?: unknown })._connectionKey))
}
