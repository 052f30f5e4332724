import { systemClock } from '@escapement/core'
import { postgres } from '@escapement/postgres'
import type { OpenStore } from '@escapement/testing'
import type pg from 'pg'

/** Starts the plugin without a scheduler: enough for its store. */
export async function openStore(
  pool: pg.Pool,
  schema: string,
  retention?: { runs: number },
): Promise<OpenStore> {
  const plugin = postgres({ pool, schema, ...(retention && { retention }) })
  const { store } = plugin
  if (!store) throw new Error('it brings a store')
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const host = {
    clock: systemClock,
    log,
    instance: 'test',
    on: () => () => {},
    emit() {},
    job() {},
    jobs: () => [],
  }
  plugin.setup?.(host as never)
  await plugin.start?.(host as never)
  return { store, close: async () => plugin.stop?.({ clean: true, deadline: 2000 }) }
}
