import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createScheduler, manual, type Scheduler } from '@escapement/core'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { attach, bind, healthOf } from '../src/index.ts'
import { wrapListen } from '../src/wrap-listen.ts'

afterEach(() => vi.unstubAllEnvs())

async function listen(handler: http.RequestListener = (_, res) => void res.end()) {
  const server = http.createServer(handler).listen(0)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return server
}
function make(job = 'a-job') {
  const lines: string[] = []
  const write = (_: unknown, text: string) => lines.push(text)
  const scheduler = createScheduler({ logger: { debug() {}, info: write, warn: write, error: write } })
  scheduler.job(job, manual(), () => {})
  return { scheduler, lines }
}
const next = (scheduler: Scheduler, event: 'start' | 'stop') =>
  new Promise<void>((resolve) => {
    const off = scheduler.on(event, () => {
      off()
      resolve()
    })
  })

it('starts with a server that it learns of, drains with it, and starts again', async () => {
  const { scheduler } = make()
  const server = http.createServer()
  attach(scheduler, server, { start: 'always' })
  expect(scheduler.state).toBe('idle')
  for (let i = 0; i < 2; i++) {
    const started = next(scheduler, 'start')
    server.listen(0)
    await started
    const closed = once(server, 'close')
    server.close()
    await closed
    expect(scheduler.state).toBe('stopped')
  }
})

it('has one binding for a scheduler, whoever asks', () => {
  const { scheduler } = make()
  expect(bind(scheduler).binding).toBe(bind(scheduler, { start: 'never' }).binding)
  expect(bind(make().scheduler).binding).not.toBe(bind(scheduler).binding)
})

it('is shared by two copies of the package in a process', async () => {
  const here = fileURLToPath(new URL('..', import.meta.url))
  const folder = await mkdtemp(join(here, '.copy-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await cp(join(here, 'src'), join(folder, 'src'), { recursive: true })
  await mkdir(join(folder, 'node_modules/@escapement'), { recursive: true })
  await symlink(join(here, '../core'), join(folder, 'node_modules/@escapement/core'))
  const copy = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'src/index.ts')).href)
  expect(copy.bind).not.toBe(bind)
  const { scheduler } = make()
  expect(copy.bind(scheduler).binding).toBe(bind(scheduler).binding)
})

it('outside of production, a newer scheduler with the same jobs takes the server over', async () => {
  vi.stubEnv('NODE_ENV', 'development')
  const [older, newer] = [make(), make()]
  const server = await listen()
  attach(older.scheduler, server, { start: 'always' })
  await next(older.scheduler, 'start')
  attach(newer.scheduler, server, { start: 'always' })
  await Promise.all([next(older.scheduler, 'stop'), next(newer.scheduler, 'start')])
  bind(older.scheduler).binding.adopt(server, 'exact') // a late request to the older one
  expect(older.scheduler.state).toBe('stopped')
  expect(newer.lines).toContain('a newer scheduler with the same jobs takes over')
  server.close()
  await once(server, 'close')
  expect(newer.scheduler.state).toBe('stopped')
})

it('says that NODE_ENV=test was left on when a server serves for long', async () => {
  vi.stubEnv('NODE_ENV', 'test')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { scheduler, lines } = make()
  const brief = await listen()
  attach(scheduler, brief)
  brief.close()
  await once(brief, 'close')
  vi.advanceTimersByTime(10_000)
  expect(lines).toEqual([])
  const server = await listen()
  attach(scheduler, server)
  attach(scheduler, await listen())
  vi.advanceTimersByTime(9_999)
  expect(lines).toEqual([])
  vi.advanceTimersByTime(1)
  expect(lines).toEqual([expect.stringContaining("NODE_ENV is 'test'")])
  expect(scheduler.state).toBe('idle')
})

/** As the handlers of Koa look: nobody can say which app they belong to. */
function likeKoa(app: { createContext?(request: unknown): void } = {}): http.RequestListener {
  return (request, response) => {
    if (app.createContext) app.createContext(request)
    response.end()
  }
}

it('outside of production, a newer scheduler takes over by a guess, until a request shows it to be wrong', async () => {
  vi.stubEnv('NODE_ENV', 'development')
  const [older, newer] = [make(), make()]
  const binding = bind(older.scheduler, { start: 'always' }).binding
  binding.koa = true
  const server = await listen(likeKoa())
  await next(older.scheduler, 'start')
  const taken = Promise.all([next(older.scheduler, 'stop'), next(newer.scheduler, 'start')])
  bind(newer.scheduler, { start: 'always' }).binding.koa = true
  await taken
  const given = Promise.all([next(newer.scheduler, 'stop'), next(older.scheduler, 'start')])
  binding.adopt(server, 'exact') // as with a request
  await given
  bind(newer.scheduler).binding.adopt(server, 'exact')
  await Promise.all([next(older.scheduler, 'stop'), next(newer.scheduler, 'start')])
})

it('leaves a scheduler with the same jobs alone that has a server of its own', async () => {
  vi.stubEnv('NODE_ENV', 'development')
  const [first, second] = [make(), make()]
  bind(first.scheduler, { start: 'always' }).binding.koa = true
  await listen(likeKoa())
  await next(first.scheduler, 'start')
  const begun = next(second.scheduler, 'start')
  bind(second.scheduler, { start: 'always' }).binding.koa = true
  await listen(likeKoa())
  await begun
  // Time is the subject: a guess takes less.
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  expect([first.scheduler.state, second.scheduler.state]).toEqual(['running', 'running'])
})

it('in production, the second one is not started, and says so', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  const [first, second, other] = [make(), make(), make('another-job')]
  const server = await listen()
  attach(first.scheduler, server, { start: 'always' })
  await next(first.scheduler, 'start')
  attach(second.scheduler, server, { start: 'always' })
  attach(other.scheduler, server, { start: 'always' })
  await next(other.scheduler, 'start')
  bind(second.scheduler).binding.adopt(server, 'exact') // as with every request
  expect(second.scheduler.state).toBe('idle')
  expect(second.lines).toEqual([expect.stringContaining('the second one is not started')])
  expect(first.scheduler.state).toBe('running')
})

describe('attach', () => {
  const refused = (message: RegExp) =>
    expect.objectContaining({ code: 'ERR_ESCAPEMENT_OPTION', message: expect.stringMatching(message) })
  // biome-ignore lint/suspicious/noExplicitAny: what users of JavaScript give
  const call = attach as (...args: any[]) => void
  const { scheduler } = make()
  const server = http.createServer()

  it.each([
    ['the server first', server, scheduler, /attach\(scheduler, server\)/],
    ['no scheduler', undefined, server, /attach\(\) takes the scheduler first.+got undefined/],
    ['an app for the scheduler', { listen() {} }, server, /attach\(\) takes the scheduler first/],
    ['nothing', scheduler, undefined, /server must be what app\.listen\(\).+undefined/],
    ['a port', scheduler, 3000, /server must be.+3000/],
    ['a promise', scheduler, Promise.resolve(server), /await it first/],
    ['an app', scheduler, Object.assign(() => {}, { listen() {}, on() {} }), /const server = app\.listen/],
    ['an app with its server', scheduler, { listen() {}, close() {}, server }, /app\.server/],
    ['a scheduler twice', scheduler, scheduler, /server must be/],
    ['a server twice', server, server, /takes the scheduler first/],
  ])('says what to give instead of %s', (_, first, second, message) => {
    expect(() => call(first, second)).toThrow(refused(message))
  })
})

it('is ready when idle or running, and not from the moment it is asked to leave', async () => {
  const { scheduler } = make()
  const { binding } = bind(scheduler)
  expect(healthOf(scheduler)).toMatchObject({ state: 'idle', ready: true, live: true })
  binding.leaving = true
  expect(healthOf(scheduler)).toMatchObject({ state: 'idle', ready: false, live: true })
  await scheduler.start()
  await scheduler.stop()
  binding.leaving = false
  expect(healthOf(scheduler)).toMatchObject({ state: 'stopped', ready: false })
})

it('learns of servers from app.listen() where the runtime does not tell', async () => {
  const app = { listen: (port: unknown) => http.createServer().listen(port as number) }
  const told: unknown[] = []
  const listening = new Promise<void>((resolve) => {
    wrapListen(app as never, (server) => {
      told.push(server)
      resolve()
    })
  })
  const server = app.listen(0)
  onTestFinished(() => void server.close())
  await listening
  expect(told).toEqual([server])
})

it('forgets a server that closes while its scheduler was never started', async () => {
  const { scheduler } = make()
  const server = await listen()
  attach(scheduler, server, { start: 'never' })
  server.close()
  await once(server, 'close')
  expect(scheduler.state).toBe('idle')
})
