import { createScheduler, every, manual, middleware } from '@escapement/express'
import express from 'express'
import express4 from 'express4'
import request from 'supertest'
import { describe, expect, it } from 'vitest'

describe.each([
  ['express 5', express],
  ['express 4', express4],
])('%s with supertest', (_, make) => {
  it('answers requests and runs what they ask for, but no ticks', async () => {
    const scheduler = createScheduler()
    let ticks = 0
    scheduler.job('tick', every(1), () => ticks++)
    scheduler.job('report', manual(), (run) => `for ${(run.data as { user: number }).user}`)
    const app = make()
    app.use(scheduler.middleware())
    app.post('/reports', async (req, res) => {
      const run = await req.scheduler.run('report', { user: 7 }, { wait: true })
      res.status(202).json({ run: run.id, outcome: run.outcome, result: run.result })
    })
    app.get('/healthz', scheduler.healthz())
    app.get('/livez', scheduler.healthz({ probe: 'live' }))
    for (let i = 0; i < 3; i++) {
      const { body, status } = await request(app).post('/reports')
      expect(status).toBe(202)
      expect(body).toEqual({ run: expect.any(String), outcome: 'succeeded', result: 'for 7' })
    }
    const health = { state: 'idle', live: true, ready: true, degraded: [], lag: 0, inFlight: 0, jobs: 2 }
    await request(app).get('/healthz').expect(200, health).expect('cache-control', 'no-store')
    await request(app).get('/livez').expect(200, health)
    await request(app).head('/healthz').expect(200)
    expect(scheduler.state).toBe('idle')
    expect(ticks).toBe(0)
  })

  it('runs ticks when told to start always, drains with the request, and starts with the next', async () => {
    const scheduler = createScheduler()
    const states: string[] = []
    for (const event of ['start', 'drain', 'stop'] as const) scheduler.on(event, () => states.push(event))
    const app = make()
    app.use(scheduler.middleware({ start: 'always' }))
    app.get('/', async (_req, res) => {
      await scheduler.start()
      res.json(scheduler.health().ready)
    })
    await request(app).get('/').expect(200, 'true')
    await request(app).get('/').expect(200, 'true')
    if (scheduler.state !== 'stopped') await new Promise((resolve) => scheduler.on('stop', () => resolve(0)))
    expect(states).toEqual(['start', 'drain', 'stop', 'start', 'drain', 'stop'])
  })

  it('serves a scheduler made elsewhere', async () => {
    const scheduler = createScheduler()
    const app = make()
    app.use(middleware(scheduler))
    app.get('/', (req, res) => res.json(req.scheduler === scheduler))
    await request(app).get('/').expect(200, 'true')
  })
})
