// Runs in a child process: a scheduler on a real server, telling what happens as lines of JSON.
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'

/** What is told is of this scenario. Schedulers tell of the one they were made in. */
let current

/** Tells the parent. Synchronous, so that nothing is lost at the end of the process. */
export function say(event, more = {}) {
  writeSync(1, `${JSON.stringify({ event, of: current, ...more })}\n`)
}

export function setScenario(name) {
  current = name
}

export const sleep = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })

/** A scheduler with a quick tick, and `work` that is under way until the drain, or for as long as it is told. */
export function makeScheduler(framework, options = {}, name = '') {
  const of = current
  const tell = (event, more) => say(event + name, { of, ...more })
  const warn = (level) => (fields, text) => tell('log', { level, text, job: fields.job, jobs: fields.jobs })
  const logger = { debug() {}, info() {}, warn: warn('warn'), error: warn('error') }
  const scheduler = framework.createScheduler({ logger, ...options })
  let ticked = false
  scheduler.on('start', () => {
    ticked = false
    tell('start')
  })
  scheduler.on('drain', () => tell('drain'))
  scheduler.on('stop', () => tell('stop'))
  scheduler.on('ignored-abort', (run) => tell('ignored-abort', { job: run.job.name }))
  scheduler.on('running', (run) => run.job.name !== 'tick' && tell('running', { job: run.job.name }))
  scheduler.on('settled', (run) => {
    if (run.job.name !== 'tick') tell('settled', { job: run.job.name, outcome: run.outcome })
  })
  scheduler.job('tick', framework.every('50ms'), () => {
    if (!ticked) tell('tick')
    ticked = true
  })
  scheduler.job('work', framework.manual(), async (run) => {
    if (!run.data.ms) await next(scheduler, 'drain')
    await sleep(run.data.ms ?? 100, run.signal)
  })
  scheduler.job('stubborn', framework.manual(), (run) => sleep(run.data.ms))
  return scheduler
}

export function started(scheduler) {
  if (scheduler.state === 'running') return Promise.resolve()
  return next(scheduler, 'start')
}

export const ended = (scheduler) => next(scheduler, 'stop')
/** Resolves at the next tick: the timers are running. */
export const ticked = (scheduler) => next(scheduler, 'running')

function next(scheduler, event) {
  return new Promise((resolve) => {
    const off = scheduler.on(event, () => {
      off()
      resolve()
    })
  })
}

/** A port nobody listens on. Not asked for as port 0, which is what tests do. */
export async function freePort() {
  const server = net.createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A plain request that leaves no connection behind. */
export function get(target, { path = '/', method = 'GET', agent = false } = {}) {
  const where = typeof target === 'string' ? { socketPath: target } : { port: target }
  return new Promise((resolve, reject) => {
    const request = http.request({ ...where, path, method, agent }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (part) => {
        body += part
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    request.on('error', reject).end()
  })
}

/** Resolves with the server when it listens. */
export async function listening(server) {
  if (!server.listening) await once(server, 'listening')
  return server
}

/** Starts a run, under way when this resolves: for `ms`, or until the drain. */
export async function work(scheduler, ms, job = 'work') {
  return scheduler.run(job, { ms })
}
