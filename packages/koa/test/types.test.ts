import { createScheduler, middleware, type Scheduler } from '@escapement/koa'
import Koa from 'koa'
import { expect, expectTypeOf, it } from 'vitest'

it('types ctx.scheduler and fits where Koa takes middleware', () => {
  const scheduler = createScheduler()
  const app = new Koa<{ user: string }>()
  app.use(scheduler.middleware())
  app.use(middleware(scheduler, { start: 'never' }))
  app.use(scheduler.healthz())
  app.use((ctx) => {
    expectTypeOf(ctx.scheduler).toEqualTypeOf<Scheduler>()
  })
  // @ts-expect-error: there is no such option
  expect(() => scheduler.middleware({ strat: 'always' })).toThrow('strat')
})
