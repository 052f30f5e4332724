import type { Run } from '@escapement/core'
import { about, chance, pass, type World } from './work.ts'

const HOUR_MS = 3_600_000
/** How long before the present the CRM has gone. */
const CRM_DOWN_MS = 13.7 * HOUR_MS

/** Most of the time it works; now and then the marketplace is busy, and the next attempt succeeds. */
export async function pullOrders(run: Run, world: World): Promise<unknown> {
  run.log.info(
    { since: new Date(run.tick.scheduledAt.getTime() - 600_000).toISOString() },
    'asking for orders',
  )
  await pass(world, run, about(run, 6_000))
  if (chance(run, `busy ${run.attempt}`) < 0.06) {
    throw Object.assign(new Error('the marketplace answered 503: try again later'), { code: 'BUSY' })
  }
  const orders = Math.floor(chance(run, 'orders') ** 2 * 180)
  run.log.info({ orders }, `stored ${orders} orders`)
  return { orders, newest: run.tick.scheduledAt.toISOString() }
}

/** Fails since last night. */
export async function syncCrm(run: Run, world: World): Promise<unknown> {
  const customers = 40 + Math.floor(chance(run, 'customers') * 300)
  run.log.info({ customers }, `${customers} customers have changed`)
  await pass(world, run, about(run, 9_000))
  if (run.tick.scheduledAt.getTime() < world.present - CRM_DOWN_MS) return { sent: customers }
  run.log.warn({ host: 'crm.internal', port: 8443 }, 'the CRM does not answer')
  await pass(world, run, 4_000)
  const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.4.17:8443'), { code: 'ECONNREFUSED' })
  const lost = new Error('no session with the CRM', { cause: refused })
  throw new Error(`${customers} customers could not be sent`, { cause: lost })
}

/** Runs into its time limit now and then. */
export async function importFeeds(run: Run, world: World): Promise<unknown> {
  const slow = chance(run, 'slow') < 0.03
  for (let feed = 1; feed <= 6; feed++) {
    await pass(world, run, slow ? 200_000 : about(run, 25_000))
    run.log.info({ feed }, `feed ${feed} of 6 is in`)
    run.progress(feed / 6, `feed ${feed} of 6`)
  }
  return { feeds: 6 }
}

const STEPS = 240

/** Long, with lines and progress. */
export async function reindex(run: Run, world: World): Promise<unknown> {
  run.log.info({ shards: 8, orders: 1_284_306 }, 'reading all orders')
  for (let step = 1; step <= STEPS; step++) {
    await pass(world, run, 2_500)
    if (step % 4 === 0) {
      const shard = Math.ceil((step / STEPS) * 8)
      run.log[step % 60 === 0 ? 'warn' : 'info']({ shard, step }, lineOf(step, shard))
    }
    run.progress(step / STEPS, `shard ${Math.ceil((step / STEPS) * 8)} of 8`)
  }
  return { products: 48_112, pairs: 902_377 }
}

const lineOf = (step: number, shard: number) =>
  step % 60 === 0
    ? `shard ${shard} is slow: 3 of its orders name products that are gone`
    : `shard ${shard}: ${(step * 5_351).toLocaleString('en')} orders read`
