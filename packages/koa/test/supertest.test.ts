import http from 'node:http'
import { createScheduler, every, manual, middleware } from '@escapement/koa'
import Router from '@koa/router'
import Koa from 'koa'
import Koa2 from 'koa2'
import request from 'supertest'
import { describe, expect, it } from 'vitest'

describe.each([
  ['koa 3', Koa],
  ['koa 2', Koa2],
])('%s with supertest', (_, App) => {
  it('answers requests and runs what they ask for, but no ticks', async () => {
    const scheduler = createScheduler()
    let ticks = 0
    scheduler.job('tick', every(1), () => ticks++)
    scheduler.job('report', manual(), (run) => `for ${(run.data as { user: number }).user}`)
    const router = new Router()
    router.post('/reports', async (ctx) => {
      const run = await ctx.scheduler.run('report', { user: 7 }, { wait: true })
      ctx.status = 202
      ctx.body = { run: run.id, outcome: run.outcome, result: run.result }
    })
    router.get('/healthz', scheduler.healthz())
    router.get('/livez', scheduler.healthz({ probe: 'live' }))
    const app = new App()
    app.use(scheduler.middleware())
    app.use(router.routes())
    for (let i = 0; i < 3; i++) {
      const { body, status } = await request(http.createServer(app.callback())).post('/reports')
      expect(status).toBe(202)
      expect(body).toEqual({ run: expect.any(String), outcome: 'succeeded', result: 'for 7' })
    }
    const health = { state: 'idle', live: true, ready: true, degraded: [], lag: 0, inFlight: 0, jobs: 2 }
    await request(app.callback()).get('/healthz').expect(200, health).expect('cache-control', 'no-store')
    await request(app.callback()).get('/livez').expect(200, health)
    expect(scheduler.state).toBe('idle')
    expect(ticks).toBe(0)
  })

  it('serves a scheduler made elsewhere, and is not ready once it has stopped', async () => {
    const scheduler = createScheduler()
    const app = new App()
    app.use(middleware(scheduler))
    app.use(async (ctx, next) => {
      expect(ctx.scheduler).toBe(scheduler)
      await next()
    })
    app.use(scheduler.healthz())
    await scheduler.start()
    await request(app.callback()).get('/').expect(200)
    await scheduler.stop()
    await request(app.callback()).get('/').expect(503)
  })
})
