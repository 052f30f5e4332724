// What a child process plays. Each scenario gets a framework: see packages/{express,koa}/test/app.mjs.
import cluster from 'node:cluster'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cert, key } from './certificate.mjs'
import {
  ended,
  freePort,
  get,
  listening,
  makeScheduler,
  say,
  setScenario,
  sleep,
  started,
  ticked,
  work,
} from './stage.mjs'

/** Start with the server, work, close: the run ends before the server is closed, and the process ends. */
async function live(framework, listen, close = closeWithCallback, where = 'app') {
  const scheduler = makeScheduler(framework)
  const app = framework.app(scheduler, { where })
  const server = await listening(await listen(app))
  await started(scheduler)
  await ticked(scheduler)
  await work(scheduler)
  await close(server, scheduler, app)
}

async function closeWithCallback(server) {
  await new Promise((resolve) => server.close(resolve))
  say('closed')
}

const byApp = async (app) => app.listen(await freePort())
const byHttp = async (app) => http.createServer(app.handler).listen(await freePort())

export const listens = {
  'app.listen': byApp,
  'app.listen with host': async (app) => app.listen(await freePort(), '127.0.0.1'),
  'http.createServer': byHttp,
  'handler added later': async (app) => {
    const server = http.createServer().listen(await freePort())
    server.on('request', app.handler)
    return server
  },
  'https.createServer': async (app) =>
    https.createServer({ key, cert }, app.handler).listen(await freePort()),
  'unix socket': async (app) =>
    http.createServer(app.handler).listen(join(tmpdir(), `escapement-${process.pid}.sock`)),
  'port 0': async (app) => app.listen(0),
  'opaque handler': async (app) =>
    http.createServer((req, res) => app.handler(req, res)).listen(await freePort()),
  'opaque handler, found by a request': async (app) => {
    const other = http.createServer((_, res) => res.end()).listen(await freePort())
    const server = await listening(
      http.createServer((req, res) => app.handler(req, res)).listen(await freePort()),
    )
    await get(server.address().port)
    say('answered')
    server.on('close', () => other.close())
    return server
  },
}

export const http2Listens = {
  'http2.createServer': async (app) => http2.createServer(app.handler).listen(await freePort()),
  'http2.createSecureServer': async (app) =>
    http2.createSecureServer({ key, cert, allowHTTP1: true }, app.handler).listen(await freePort()),
}

/** Ways of closing that wait for a server's 'close'. */
export const closes = {
  'close(callback)': closeWithCallback,
  "once('close')": async (server) => {
    server.close()
    await once(server, 'close')
    say('closed')
  },
  'Symbol.asyncDispose': async (server) => {
    await server[Symbol.asyncDispose]()
    say('closed')
  },
  'a close() taken early': async (server, scheduler) => {
    const drained = ended(scheduler)
    await new Promise((resolve) => http.Server.prototype.close.call(server, resolve))
    say('closed')
    await drained
  },
  'close() twice': async (server) => {
    const first = new Promise((resolve) => server.close(resolve))
    server.close((error) => say('refused', { code: error?.code }))
    await first
    say('closed')
  },
  'with a request under way': async (server, scheduler) => {
    const { port } = server.address()
    const slow = get(port, { path: '/slow' })
    await once(server, 'request')
    const closed = closeWithCallback(server)
    await ended(scheduler)
    // A browser's connection: the drain did not wait for it, the server does.
    await slow
    say('answered')
    await closed
  },
  'with an event stream open': async (server, scheduler) => {
    const { port } = server.address()
    const request = http.get({ port, path: '/stream' })
    const [response] = await once(request, 'response')
    response.resume()
    const closed = closeWithCallback(server)
    await ended(scheduler)
    say('still open')
    request.destroy()
    await closed
  },
}

/** Shutdown libraries: set up, begin a run, and end. */
export const libraries = {
  'http-terminator': async (server, begin) => {
    const { createHttpTerminator } = await import('http-terminator')
    const terminator = createHttpTerminator({ server })
    await begin()
    await terminator.terminate()
    say('closed')
  },
  stoppable: async (server, begin) => {
    const { default: stoppable } = await import('stoppable')
    const stopping = stoppable(server, 2000)
    await begin()
    await new Promise((resolve) => stopping.stop(resolve))
    say('closed')
  },
  '@godaddy/terminus': async (server, begin) => {
    const { createTerminus } = await import('@godaddy/terminus')
    createTerminus(server, { signal: 'SIGTERM', timeout: 5000, onSignal: async () => say('closed') })
    await begin()
    process.kill(process.pid, 'SIGTERM')
  },
  lightship: async (server, begin) => {
    const { createLightship } = await import('lightship')
    const lightship = await createLightship({
      port: await freePort(),
      detectKubernetes: false,
      shutdownDelay: 0,
    })
    lightship.registerShutdownHandler(async () => {
      await new Promise((resolve) => server.close(resolve))
      say('closed')
    })
    lightship.signalReady()
    await begin()
    process.kill(process.pid, 'SIGTERM')
  },
  'http-graceful-shutdown': async (server, begin) => {
    const { default: gracefulShutdown } = await import('http-graceful-shutdown')
    gracefulShutdown(server, { timeout: 5000, finally: () => say('closed') })
    await begin()
    process.kill(process.pid, 'SIGTERM')
  },
  'close-with-grace': async (server, begin) => {
    const { default: closeWithGrace } = await import('close-with-grace')
    closeWithGrace({ delay: 5000 }, async () => {
      await new Promise((resolve) => server.close(resolve))
      say('closed')
    })
    await begin()
    process.kill(process.pid, 'SIGTERM')
  },
}

async function endWith(library, framework) {
  const scheduler = makeScheduler(framework)
  const app = framework.app(scheduler)
  const server = await listening(app.listen(await freePort()))
  await started(scheduler)
  await library(server, () => work(scheduler), app)
}

/** As `once`, which rejects for 'error'. */
function waitFor(emitter, event) {
  return new Promise((resolve) => emitter.once(event, (...args) => resolve(args)))
}

/** Everything else: servers, signals, ends of the process. */
const others = {
  async 'two servers'(framework) {
    const scheduler = makeScheduler(framework)
    const app = framework.app(scheduler)
    const first = await listening(app.listen(await freePort()))
    const second = await listening(http.createServer(app.handler).listen(await freePort()))
    await started(scheduler)
    for (const server of [first, second]) await get(server.address().port)
    await closeWithCallback(first)
    say('first closed', { state: scheduler.state })
    await work(scheduler)
    await closeWithCallback(second)
  },
  async "another app's server"(framework) {
    const scheduler = makeScheduler(framework)
    const app = framework.app(scheduler)
    const other = await listening(framework.plain().listen(await freePort()))
    const server = await listening(app.listen(await freePort()))
    await started(scheduler)
    await ticked(scheduler)
    await get(server.address().port)
    await work(scheduler)
    await closeWithCallback(server)
    other.close()
  },
  async restart(framework) {
    const scheduler = makeScheduler(framework)
    const app = framework.app(scheduler)
    const port = await freePort()
    const server = await listening(app.listen(port))
    await started(scheduler)
    await closeWithCallback(server)
    server.listen(port)
    await started(scheduler)
    await work(scheduler)
    await closeWithCallback(server)
  },
  async 'restart at once'(framework) {
    const scheduler = makeScheduler(framework)
    const app = framework.app(scheduler)
    const port = await freePort()
    const server = await listening(app.listen(port))
    await started(scheduler)
    await work(scheduler)
    server.close()
    server.listen(port)
    await ended(scheduler)
    await started(scheduler)
    await ticked(scheduler)
    await work(scheduler)
    await closeWithCallback(server)
  },
  async EADDRINUSE(framework) {
    const taken = await listening(http.createServer().listen(await freePort()))
    const scheduler = makeScheduler(framework)
    const server = http.createServer(framework.app(scheduler).handler)
    server.listen(taken.address().port)
    const [error] = await waitFor(server, 'error')
    say('error', { code: error.code, state: scheduler.state })
    taken.close()
  },
  async 'EADDRINUSE, then another port'(framework) {
    const taken = await listening(http.createServer().listen(await freePort()))
    const scheduler = makeScheduler(framework)
    const server = http.createServer(framework.app(scheduler).handler)
    server.listen(taken.address().port)
    const [error] = await waitFor(server, 'error')
    say('error', { code: error.code })
    taken.close()
    server.listen(await freePort())
    await started(scheduler)
    await closeWithCallback(server)
  },
  async 'mounted after listening'(framework) {
    const scheduler = makeScheduler(framework)
    const late = framework.late(scheduler)
    const server = await listening(late.listen(await freePort()))
    // Time is the subject.
    await sleep(20)
    late.mount()
    await started(scheduler)
    await ticked(scheduler)
    await work(scheduler)
    await closeWithCallback(server)
  },
  async 'not listening'(framework) {
    framework.app(makeScheduler(framework))
    say('idle')
  },
  async 'a run without a handle'(framework) {
    const scheduler = makeScheduler(framework)
    scheduler.job(
      'quiet',
      framework.manual(),
      () => new Promise((resolve) => setTimeout(resolve, 300).unref()),
    )
    await scheduler.run('quiet')
  },
  async 'an unreferenced server'(framework) {
    const scheduler = makeScheduler(framework)
    const server = await listening(framework.app(scheduler).listen(await freePort()))
    await started(scheduler)
    server.unref()
  },
  async 'process.exit() after close()'(framework) {
    const scheduler = makeScheduler(framework)
    const server = await listening(framework.app(scheduler).listen(await freePort()))
    await started(scheduler)
    await work(scheduler)
    server.close()
    setImmediate(() => process.exit(3))
  },
  async 'beyond the grace'(framework) {
    const scheduler = makeScheduler(framework, { drain: { abort: '200ms' } })
    const app = framework.app(scheduler, { options: { grace: '300ms' } })
    const server = await listening(app.listen(await freePort()))
    await started(scheduler)
    await work(scheduler, 60_000)
    await work(scheduler, 60_000, 'stubborn')
    await closeWithCallback(server)
    process.exit()
  },
  async 'start: never'(framework) {
    const scheduler = makeScheduler(framework)
    const app = framework.app(scheduler, { options: { start: 'never' } })
    const server = await listening(app.listen(await freePort()))
    const { status } = await get(server.address().port, { path: '/healthz' })
    say('answered', { status, state: scheduler.state })
    await scheduler.start()
    await work(scheduler)
    await closeWithCallback(server)
  },
  async 'a plugin that cannot start at first'(framework) {
    let failures = 1
    const plugin = {
      name: 'shaky',
      start() {
        if (failures-- > 0) throw new Error('not yet')
      },
    }
    const scheduler = makeScheduler(framework, { plugins: [plugin] })
    const server = await listening(framework.app(scheduler).listen(await freePort()))
    await started(scheduler)
    await closeWithCallback(server)
  },
  async 'a run asked for by a request'(framework) {
    const scheduler = makeScheduler(framework)
    const server = await listening(framework.app(scheduler).listen(await freePort()))
    const { port } = server.address()
    await started(scheduler)
    say('accepted', await get(port, { path: '/run', method: 'POST' }))
    say('refused', await get(port, { path: '/run-with-request', method: 'POST' }))
    say('context', await get(port, { path: '/context', method: 'POST' }))
    say('healthz', await get(port, { path: '/healthz' }))
    say('outlived', await get(port, { path: '/outlive', method: 'POST' }))
    await closeWithCallback(server)
  },
  /** Waits to be ended by the parent. */
  async serve(framework, settings = {}) {
    const { options, ms, quiet = false } = settings
    if (settings.cleanup !== undefined) {
      options.signals = {
        cleanupTimeout: '1s',
        async cleanup() {
          say('cleaning')
          await new Promise((resolve) => setTimeout(resolve, settings.cleanup))
          // As the close() of a framework does, which calls its own hooks.
          await new Promise((resolve) => server.close(resolve))
          say('cleaned')
        },
      }
    }
    const scheduler = makeScheduler(framework)
    if (settings.pid) Object.defineProperty(process, 'pid', { value: settings.pid })
    for (const signal of settings.others ?? []) process.on(signal, () => say('other', { signal }))
    const server = await listening(framework.app(scheduler, { options }).listen(await freePort()))
    server.on('close', () => say('closed'))
    const { port } = server.address()
    await started(scheduler)
    if (!quiet) await work(scheduler, ms)
    if (settings.stream) (await once(http.get({ port, path: '/stream' }), 'response'))[0].resume()
    say('serving', { port })
    if (settings.open) setInterval(() => {}, 60_000)
  },
  async cluster(framework) {
    if (cluster.isPrimary) {
      const workers = [cluster.fork(), cluster.fork()]
      let ready = 0
      cluster.on('message', (_, message) => {
        if (message !== 'working' || ++ready < workers.length) return
        for (const worker of workers) worker.disconnect()
      })
      cluster.on('exit', (worker, code) => say('exit', { id: worker.id, code }))
      return
    }
    const { id } = cluster.worker
    const scheduler = makeScheduler(framework, {}, ` ${id}`)
    // A port of the primary's choosing, the same for both.
    const app = framework.app(scheduler, { options: { start: 'always' } })
    const server = await listening(app.listen(0))
    server.on('close', () => say(`closed ${id}`))
    await started(scheduler)
    await work(scheduler)
    process.send('working')
  },
}

/**
 * @param names Scenarios, played one after the other: `listen/…`, `close/…`, `where/…`, `library/…`, or one
 * of the others with its settings.
 */
export async function play(framework, names, settings) {
  process.on('exit', () => say('exit'))
  for (const scenario of names) {
    setScenario(scenario)
    const [group, ...rest] = scenario.split('/')
    const name = rest.join('/')
    if (group === 'listen') await live(framework, { ...listens, ...http2Listens }[name])
    else if (group === 'close') await live(framework, byApp, closes[name])
    else if (group === 'where') await live(framework, byHttp, closeWithCallback, name)
    else if (group === 'library') await endWith({ ...libraries, ...framework.libraries }[name], framework)
    else await { ...others, ...framework.others }[scenario](framework, settings)
    say('end')
  }
}
