import { createScheduler, middleware, type Scheduler } from '@escapement/express'
import express, { Router } from 'express'
import { expect, expectTypeOf, it } from 'vitest'

it('types req.scheduler and fits where Express takes middleware', () => {
  const scheduler = createScheduler()
  const app = express()
  app.use(scheduler.middleware())
  app.use('/api', scheduler.middleware({ start: 'never' }), middleware(scheduler))
  Router().use(scheduler.middleware())
  app.get('/healthz', scheduler.healthz())
  app.get('/', (req) => {
    expectTypeOf(req.scheduler).toEqualTypeOf<Scheduler>()
  })
  // @ts-expect-error: there is no such option
  expect(() => scheduler.middleware({ strat: 'always' })).toThrow('strat')
})
