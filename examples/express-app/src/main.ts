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
import { createScheduler, every } from '@escapement/express'
import { toNode } from '@escapement/http'
import express from 'express'

async function main() {
  const world = await openWorld('express-app')
  const scheduler = createScheduler({ plugins: world.plugins, logger: world.logger })
  showRuns(scheduler)

  scheduler.job('clean-logs', '*/15 * * * * *', { timeout: '10s' }, (run) =>
    cleanLogs(world.logs, 14 * 86_400_000, run.signal),
  )

  // The shop is busy now and then, and down for a while: see the retries, the alert and the recovery.
  scheduler.job(
    'pull-orders',
    every('5s'),
    {
      retry: { retries: 2, delay: '300ms' },
      timeout: '4s',
      owner: 'Sales IT',
      runbook: 'https://example.com/runbooks/orders',
    },
    async (run) => {
      const orders = await pullOrders(world.shop, world.orders, run.signal)
      run.log.info({ orders }, 'stored new orders')
      return { orders }
    },
  )

  scheduler.job('report', '*/10 * * * * *', async (run) => {
    return buildReport(world.orders, world.report, run.tick.scheduledAt)
  })

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

  const app = express()
  app.use(express.json())
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
  app.post('/notices', (req, res, next) => {
    req.scheduler
      .run('notices', { to: [String(req.body.to ?? 'you@example.com')] })
      .then((run) => res.status(202).json({ run: run.id }))
      .catch(next)
  })
  // In production whoever looks needs a token of ours; else the random one of the link below.
  const token = process.env.JOBS_TOKEN ?? (process.env.NODE_ENV === 'production' ? randomUUID() : undefined)
  const page = dashboard(scheduler, {
    title: 'express-app',
    ...(token !== undefined && { auth: tokenAuth({ [token]: { actor: 'ops', role: 'operator' } }) }),
  })
  app.use('/ops', toNode(page))
  app.get('/report', (_req, res) => res.sendFile(world.report))
  app.get('/jobs', (req, res) => {
    res.json(req.scheduler.jobs().map(({ name, next, last }) => ({ name, next, last: last?.outcome })))
  })

  const port = await freePort(Number(process.env.PORT ?? 3000))
  const server = app.listen(port, () => {
    const { port } = server.address() as AddressInfo
    console.log(
      `the page on the jobs: http://localhost:${port}/ops/${page.token === undefined ? '' : `?token=${page.token}`}`,
    )
    console.log(`http://localhost:${port}/jobs and /report; send a notice yourself:`)
    console.log(
      `curl -X POST -H 'content-type: application/json' -d '{"to":"me@example.com"}' localhost:${port}/notices\n`,
    )
  })
}

void main()
