import http from 'node:http'
import net from 'node:net'
import express from 'express'
import express4 from 'express4'
import Koa from 'koa'
import { expect, it } from 'vitest'
import { match } from '../src/match.ts'

// What a server looks like to match(): only its request listeners count.
type Handler = (...args: never[]) => void
const server = (...handlers: Handler[]) => {
  const made = http.createServer()
  for (const handler of handlers) made.on('request', handler as never)
  return made
}
const pass: express.RequestHandler = (_req, _res, next) => next()
const target = (koa: boolean, ...owned: object[]) => ({ koa, owns: (fn: object) => owned.includes(fn) })

/** As OpenTelemetry's and shimmer's wrappers do. */
const wrapped = (fn: object) => Object.assign(() => {}, { __original: fn })

for (const [version, make] of [
  ['express 5', express],
  ['express 4', express4],
] as const) {
  const within = (mount: (app: express.Express) => unknown) => {
    const app = make()
    mount(app)
    return app
  }
  it.each<[string, express.Express, string]>([
    ['on the app', within((app) => app.use(pass)), 'exact'],
    ['under a path', within((app) => app.use('/a', pass)), 'exact'],
    ['on a route', within((app) => app.get('/a', pass)), 'exact'],
    ['on a router', within((app) => app.use(make.Router().use(pass))), 'exact'],
    ['on a route of a router', within((app) => app.use(make.Router().get('/', pass))), 'exact'],
    ['hidden in a sub-app', within((app) => app.use('/a', make().use(pass))), 'maybe'],
    ['not there', within((app) => app.get('/', (_, res) => res.end())), 'no'],
    ['an app without routes', within(() => {}), 'no'],
  ])(`finds a middleware in an app of ${version}: %s`, (_, app, expected) => {
    expect(match(server(app as never), target(false, pass))).toBe(expected)
  })

  it(`finds an app of ${version} by itself, and through instrumentation`, () => {
    const app = make()
    expect(match(server(app as never), target(false, app))).toBe('exact')
    expect(match(server(wrapped(app) as never), target(false, app))).toBe('exact')
    app.use(pass)
    const layer =
      (app as unknown as { _router?: { stack: { handle: object }[] } } & typeof app)._router ?? app.router
    const last = layer.stack.at(-1) as { handle: object }
    last.handle = wrapped(pass)
    expect(match(server(app as never), target(false, pass))).toBe('exact')
  })

  it(`does not find what belongs to a router that contains itself in ${version}`, () => {
    const router = make.Router()
    router.use(router)
    expect(match(server(within((app) => app.use(router)) as never), target(false, pass))).toBe('no')
  })
}

it("recognises Koa's handler, for Koa only", () => {
  const handler = new Koa().callback() as Handler
  expect(match(server(handler), target(true))).toBe('likely')
  expect(match(server(handler), target(false))).toBe('maybe')
  const parent = express().use('/koa', handler as never)
  expect(match(server(parent as never), target(true))).toBe('likely')
  expect(match(server(parent as never), target(false))).toBe('no')
})

it('takes the best of several listeners, an unknown one as maybe, and none as no', () => {
  const app = express().use(pass)
  expect(
    match(
      server(() => {}),
      target(false, pass),
    ),
  ).toBe('maybe')
  expect(
    match(
      server(() => {}, app as never),
      target(false, pass),
    ),
  ).toBe('exact')
  expect(match(server(), target(false, pass))).toBe('no')
  expect(match(net.createServer(), target(true, pass))).toBe('no')
})
