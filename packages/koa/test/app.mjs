// node app.mjs koa2|koa3 [scenario, …] [settings], both as JSON
import { createScheduler, currentRun, every, manual } from '@escapement/koa'
import Router from '@koa/router'
import Koa3 from 'koa'
import mount from 'koa-mount'
import Koa2 from 'koa2'
import { asks } from '../../http/test/kit/asks.mjs'
import { play } from '../../http/test/kit/scenarios.mjs'

const [version, scenarios, settings = '{}'] = process.argv.slice(2)
const Koa = version === 'koa2' ? Koa2 : Koa3

/** Where the middleware is mounted. */
const places = {
  app: (app, middleware) => app.use(middleware),
  'a router': (app, middleware) =>
    app.use(
      new Router()
        .use(middleware)
        .get('/api', () => {})
        .routes(),
    ),
  'koa-mount': (app, middleware) => app.use(mount('/api', middleware)),
  'an app under koa-mount': (app, middleware) => app.use(mount('/api', new Koa().use(middleware))),
}

function makeApp(scheduler, { where = 'app', options } = {}) {
  const app = new Koa()
  places[where](app, scheduler.middleware(options))
  const router = new Router()
  router.get('/', (ctx) => {
    ctx.body = 'ok'
  })
  router.get('/healthz', scheduler.healthz())
  router.get('/livez', scheduler.healthz({ probe: 'live' }))
  router.get('/slow', async (ctx) => {
    await new Promise((resolve) => setTimeout(resolve, 600))
    ctx.body = 'late'
  })
  router.get('/stream', (ctx) => {
    ctx.respond = false
    ctx.res.writeHead(200, { 'content-type': 'text/event-stream' })
    ctx.res.write(':\n')
  })
  asks(router, (handle) => async (ctx) => {
    ctx.body = await handle(ctx.scheduler, { req: ctx.req, res: ctx.res, ctx })
  })
  app.use(router.routes())
  return { app, handler: app.callback(), listen: (...args) => app.listen(...args) }
}

const framework = {
  createScheduler,
  currentRun,
  every,
  manual,
  app: makeApp,
  /** An app without a scheduler. */
  plain: () =>
    new Koa().use((ctx) => {
      ctx.body = 'plain'
    }),
}

await play(framework, JSON.parse(scenarios), JSON.parse(settings))
