// One instance of a shop: prices are pulled and kept in Redis, reports are built when someone asks.
import { logBindings } from '@escapement/core'
import { createScheduler, every } from '@escapement/express'
import { otel } from '@escapement/otel'
import { prometheus } from '@escapement/prometheus'
import { redisLock } from '@escapement/redis-lock'
import { trace } from '@opentelemetry/api'
import express from 'express'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { provider } from './tracing.mjs'

const { PORT = '3001', REDIS_URL = 'redis://localhost:6379', EVERY = '5s' } = process.env
const { JAEGER_URL = 'http://localhost:16686' } = process.env
const logger = pino({ mixin: logBindings(), base: { service: process.env.INSTANCE } })
const tracer = trace.getTracer('shop')
const redis = new Redis(REDIS_URL)
const metrics = prometheus()
const scheduler = createScheduler({
  logger,
  // Given its address, the lock makes a client of its own, with the options that claims need. A Redis that has
  // just started is not trusted for the length of a lease: a short one, to see something soon.
  plugins: [
    otel({ traceUrl: (id) => `${JAEGER_URL}/trace/${id}` }),
    redisLock({ clients: [REDIS_URL], lease: '3s' }),
    metrics,
  ],
})

scheduler.job(
  'pull-prices',
  every(EVERY),
  { retry: { retries: 2, delay: '200ms' }, timeout: '4s' },
  async (run) => {
    const response = await fetch(`http://localhost:${PORT}/upstream/prices`, { signal: run.signal })
    if (!response.ok) throw new Error(`the price list answered ${response.status}`)
    const prices = await response.json()
    await tracer.startActiveSpan('store prices', async (span) => {
      span.setAttribute('prices', Object.keys(prices).length)
      await redis.hset('prices', prices)
      span.end()
    })
    logger.info({ prices: Object.keys(prices).length }, 'stored prices')
  },
)

// Asked for by a request, and by the clock.
scheduler.job('report', '0 1 * * *', async (run) => {
  const prices = await redis.hgetall('prices')
  const total = Object.values(prices).reduce((sum, price) => sum + Number(price), 0)
  await redis.set('report', JSON.stringify({ items: Object.keys(prices).length, total, by: run.id }))
})

const app = express()
app.use(scheduler.middleware())
app.get('/metrics', metrics.handler())
app.post('/reports', (req, res, next) => {
  req.scheduler
    .run('report')
    .then((run) => res.status(202).json({ run: run.id }))
    .catch(next)
})

// Someone else's server, which is busy now and then.
let asked = 0
app.get('/upstream/prices', (_req, res) => {
  if (++asked % 4 === 0) return res.status(503).end()
  res.json({ apple: 3 + Math.random(), pear: 4 + Math.random() })
})

const server = app.listen(Number(PORT), () => logger.info(`http://localhost:${PORT}`))

// Jobs drain when the server closes; then the last spans are sent.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close())
server.on('close', async () => {
  redis.disconnect()
  await provider.shutdown().catch((error) => logger.warn({ err: error }, 'the last spans cannot be sent'))
})
