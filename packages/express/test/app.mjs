// node app.mjs express4|express5 [scenario, …] [settings], both as JSON
import { createScheduler, currentRun, every, manual } from '@escapement/express'
import express5 from 'express'
import express4 from 'express4'
import { asks } from '../../http/test/kit/asks.mjs'
import { play } from '../../http/test/kit/scenarios.mjs'
import { say } from '../../http/test/kit/stage.mjs'
import { nest } from './nest.mjs'

const [version, scenarios, settings = '{}'] = process.argv.slice(2)
const express = version === 'express4' ? express4 : express5

/** Where the middleware is mounted. */
const places = {
  app: (app, middleware) => app.use(middleware),
  'app, under a path': (app, middleware) => app.use('/jobs', middleware),
  'a route': (app, middleware) => app.get('/jobs', middleware),
  'a router': (app, middleware) => app.use('/api', express.Router().use(middleware)),
  'a router in a router': (app, middleware) =>
    app.use('/api', express.Router().use('/v1', express.Router().use(middleware))),
  'a sub-app': (app, middleware) => app.use('/sub', express().use(middleware)),
  'a sub-app mounted before': (app, middleware) => {
    const sub = express()
    app.use('/sub', sub)
    sub.use(middleware)
  },
  'a sub-app in a sub-app': (app, middleware) =>
    app.use('/a', express().use('/b', express().use(middleware))),
  'a router in a sub-app': (app, middleware) =>
    app.use('/a', express().use(express.Router().use(middleware))),
}

function makeApp(scheduler, { where = 'app', options } = {}) {
  const app = express()
  places[where](app, scheduler.middleware(options))
  app.get('/', (_, res) => res.send('ok'))
  app.get('/healthz', scheduler.healthz())
  app.get('/livez', scheduler.healthz({ probe: 'live' }))
  app.get('/slow', (_, res) => setTimeout(() => res.send('late'), 600))
  app.get('/stream', (_, res) => res.type('text/event-stream').write(':\n'))
  asks(app, (handle) => (req, res, next) => {
    handle(req.scheduler, { req, res }).then((body) => res.json(body), next)
  })
  return { app, handler: app, listen: (...args) => app.listen(...args) }
}

const framework = {
  createScheduler,
  currentRun,
  every,
  manual,
  app: makeApp,
  /** An app without a scheduler. */
  plain: () => express().get('/', (_, res) => res.send('plain')),
  /** An app that gets its middleware later. */
  late(scheduler) {
    const app = express()
    app.get('/', (_, res) => res.send('ok'))
    return { listen: (...args) => app.listen(...args), mount: () => app.use(scheduler.middleware()) }
  },
  libraries: {
    async 'express-graceful-exit'(server, begin, { app }) {
      const { default: gracefulExit } = await import('express-graceful-exit')
      gracefulExit.init(server)
      app.use(gracefulExit.middleware(app))
      await begin()
      gracefulExit.gracefulExitHandler(app, server, { suicideTimeout: 5000, callback: () => say('closed') })
    },
  },
  others: { nest: () => nest(framework) },
}

await play(framework, JSON.parse(scenarios), JSON.parse(settings))
