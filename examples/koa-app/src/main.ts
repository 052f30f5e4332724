import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { dashboard, tokenAuth } from '@escapement/dashboard'
import {
  buildReport,
  cleanLogs,
  freePort,
  openWorld,
  pullOrders,
  sendNotices,
  showRuns,
} from '@escapement/example-scenes'
import { toNode } from '@escapement/http'
import { createScheduler, every } from '@escapement/koa'
import Koa from 'koa'

async function main() {
  const world = await openWorld('koa-app')
  const scheduler = createScheduler({ plugins: world.plugins, logger: world.logger })
  showRuns(scheduler)

  scheduler.job('clean-logs', '*/15 * * * * *', { timeout: '10s' }, (run) =>
    cleanLogs(world.logs, 14 * 86_400_000, run.signal),
  )

  scheduler.job(
    'pull-orders',
    every('5s'),
    { retry: { retries: 2, delay: '300ms' }, timeout: '4s' },
    async (run) => {
      const orders = await pullOrders(world.shop, world.orders, run.signal)
      run.log.info({ orders }, 'stored new orders')
      return { orders }
    },
  )

  scheduler.job('report', '*/10 * * * * *', (run) =>
    buildReport(world.orders, world.report, run.tick.scheduledAt),
  )

  // Each request has data of its own: none is refused because another one is under way.
  scheduler.job<{ to: string[] }>(
    'notices',
    '5,35 * * * * *',
    {
      overlap: 'allow',
      data: { to: ['sales@example.com'] },
      // The first orders come within seconds of the start.
      retry: { retries: 10, backoff: 'fixed', delay: '2s' },
    },
    async (run) => {
      return { mails: await sendNotices(world, run.tick.scheduledAt, run.data.to) }
    },
  )

  const app = new Koa()
  app.use(
    scheduler.middleware({
      signals: {
        exitCode: 0,
        // The runs have ended by now.
        cleanup: async () => {
          await world.close()
          console.log('closed')
        },
      },
    }),
  )
  // In production whoever looks needs a token of ours; else the random one of the link below.
  const token = process.env.JOBS_TOKEN ?? (process.env.NODE_ENV === 'production' ? randomUUID() : undefined)
  const page = dashboard(scheduler, {
    title: 'koa-app',
    ...(token !== undefined && { auth: tokenAuth({ [token]: { actor: 'ops', role: 'operator' } }) }),
  })
  const answer = toNode(page)
  app.use((ctx, next) => {
    if (!ctx.path.startsWith('/ops/')) return next()
    ctx.respond = false // the page answers by itself
    return answer(Object.assign(ctx.req, { baseUrl: '/ops' }), ctx.res)
  })
  app.use(async (ctx) => {
    if (ctx.method === 'POST' && ctx.path === '/notices') {
      const run = await ctx.scheduler.run('notices', { to: [ctx.query.to ?? 'you@example.com'].flat() })
      ctx.status = 202
      ctx.body = { run: run.id }
    } else if (ctx.path === '/jobs') {
      ctx.body = ctx.scheduler.jobs().map(({ name, next, last }) => ({ name, next, last: last?.outcome }))
    }
  })

  const port = await freePort(Number(process.env.PORT ?? 3000))
  const server = app.listen(port, () => {
    const { port } = server.address() as AddressInfo
    console.log(
      `the page on the jobs: http://localhost:${port}/ops/${page.token === undefined ? '' : `?token=${page.token}`}`,
    )
    console.log(`http://localhost:${port}/jobs; send a notice yourself:`)
    console.log(`curl -X POST 'localhost:${port}/notices?to=me@example.com'\n`)
  })
}

void main()
