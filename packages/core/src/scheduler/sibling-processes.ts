import type { Cluster } from 'node:cluster'

/** What shows that this process is one of several that run the same code; undefined when nothing does. */
export function siblings(): string | undefined {
  const instance = process.env.NODE_APP_INSTANCE // PM2 numbers its instances from 0
  if (Number(instance) > 0) return `PM2 instance ${instance}`
  // Asked for, not imported: that would cost 6 ms, and in a worker it is loaded already.
  const cluster = process.getBuiltinModule('node:cluster') as unknown as Cluster
  if (instance === undefined && cluster.isWorker) return 'a worker of a cluster'
  return undefined
}
