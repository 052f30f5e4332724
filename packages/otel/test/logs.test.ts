import { Writable } from 'node:stream'
import { createScheduler, type LoggerLike, logBindings, manual, type Run } from '@escapement/core'
import { otel } from '@escapement/otel'
import { VirtualClock } from '@escapement/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import winston from 'winston'
import { registerSdk, unregister } from './tracing.ts'

beforeEach(() => void registerSdk())
afterEach(unregister)

type Line = Record<string, unknown>

/** Where a logger writes to, as the lines that a shipper would read. */
function sink(): { stream: Writable; lines(): Line[] } {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  return {
    stream,
    lines() {
      const lines = text.split('\n')
      expect(lines.pop()).toBe('')
      return lines.map((line) => JSON.parse(line) as Line)
    },
  }
}

interface AppLogger extends LoggerLike {
  // biome-ignore lint/suspicious/noExplicitAny: pino and winston differ
  info(...args: any[]): unknown
}

const loggers: [string, () => { logger: AppLogger; lines(): Line[] }][] = [
  [
    'pino',
    () => {
      const { stream, lines } = sink()
      const logger = pino(
        {
          level: 'debug',
          mixin: logBindings(),
          messageKey: 'message',
          formatters: { level: (level) => ({ level }) },
          timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
        },
        stream,
      )
      return { logger, lines }
    },
  ],
  [
    'winston',
    () => {
      const { stream, lines } = sink()
      const { combine, timestamp, json } = winston.format
      const logger = winston.createLogger({
        level: 'debug',
        format: combine(logBindings(), timestamp({ alias: '@timestamp' }), json()),
        transports: [new winston.transports.Stream({ stream })],
      })
      return { logger, lines }
    },
  ],
]

describe.each(loggers)('%s', (_name, make) => {
  function setUp() {
    const { logger, lines } = make()
    const clock = new VirtualClock()
    const scheduler = createScheduler({ clock, logger, timezone: 'UTC', plugins: [otel()] })
    const work = (ms: number) => new Promise<void>((resolve) => clock.setTimeout(resolve, ms))
    return { clock, logger, lines, scheduler, work }
  }

  test('each state of a run is one line of JSON with all that identifies it', async () => {
    const { clock, scheduler, lines, work } = setUp()
    scheduler.job('a', '0 1 * * *', { retry: { retries: 1, delay: '1s', jitter: 0 } }, async (run) => {
      await work(250)
      if (run.attempt === 1) throw Object.assign(new RangeError('no luck'), { code: 'E_LUCK' })
    })
    let run: Run | undefined
    scheduler.on('settled', (ended) => {
      run = ended
    })
    await scheduler.start()
    await clock.advance('61m')
    const ids = {
      job: 'a',
      run_id: run?.id,
      tick: 'a@2026-01-01T01:00:00.000Z',
      trace_id: run?.traceId,
      span_id: run?.traceparent?.slice(36, 52),
      trace_flags: '01',
    }
    const error = expect.objectContaining({ type: 'RangeError', message: 'no luck', code: 'E_LUCK' })
    const mine = lines().filter((line) => line.job === 'a')
    expect(mine).toEqual([
      expect.objectContaining({ ...ids, level: 'debug', message: 'a running' }),
      expect.objectContaining({
        ...ids,
        level: 'warn',
        message: 'a waiting-retry',
        attempt: 1,
        delay_ms: 1000,
        error,
      }),
      expect.objectContaining({
        ...ids,
        level: 'info',
        message: 'a succeeded',
        outcome: 'succeeded',
        attempt: 2,
        duration_ms: 1500,
        cause: 'schedule',
      }),
    ])
  })

  test('a failure keeps its error, with stack and cause, in one shape whatever was thrown', async () => {
    const { scheduler, lines } = setUp()
    const cause = new Error('disk full')
    cause.cause = cause
    scheduler.job('a', manual(), () => {
      throw new Error('cannot write', { cause })
    })
    scheduler.job('b', manual(), () => Promise.reject('plain'))
    await scheduler.run('a', undefined, { wait: true })
    await scheduler.run('b', undefined, { wait: true })
    const failed = lines().filter((line) => line.outcome === 'failed')
    expect(failed.map((line) => line.error)).toEqual([
      expect.objectContaining({
        type: 'Error',
        message: 'cannot write',
        stack: expect.stringContaining('logs.test.ts'),
        cause: expect.objectContaining({ message: 'disk full' }),
      }),
      { type: 'string', message: 'plain' },
    ])
  })

  test("run.log and the app's own logger write the same ids; outside of runs there are none", async () => {
    const { logger, scheduler, lines } = setUp()
    const deep = async () => {
      await Promise.resolve()
      logger.info('from below')
    }
    scheduler.job('a', manual(), async (run) => {
      run.log.info({ rows: 3 }, 'from the handler')
      await deep()
    })
    logger.info('from outside')
    const run = await scheduler.run('a', undefined, { wait: true })
    const by = Object.fromEntries(lines().map((line) => [line.message, line]))
    const ids = { job: 'a', run_id: run.id, trace_id: run.traceId }
    expect(by['from the handler']).toMatchObject({ ...ids, rows: 3 })
    expect(by['from below']).toMatchObject(ids)
    expect(by['from outside']).not.toHaveProperty('run_id')
    expect(by['from outside']).not.toHaveProperty('trace_id')
  })

  test('each field has one type, whatever happens: as a search index needs', async () => {
    const { clock, scheduler, lines, work } = setUp()
    const errors = [new Error('a', { cause: 'b' }), 'plain', { odd: true }, undefined, 7]
    for (const [i, error] of errors.entries()) {
      scheduler.job(`fails-${i}`, manual(), { retry: { retries: 1, delay: '1s' } }, () =>
        Promise.reject(error),
      )
    }
    scheduler.job('slow', '* * * * *', { timeout: '90s' }, () => work(100_000))
    scheduler.job('good', '* * * * *', (run) => run.log.info('working'))
    await scheduler.start()
    for (const job of scheduler.jobs()) await job.run()
    await clock.advance('5m')
    const stopped = scheduler.stop()
    await clock.advance('1m')
    await stopped
    const types = new Map<string, Set<string>>()
    for (const line of lines()) {
      expect(line['@timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect(line.message, JSON.stringify(line)).toEqual(expect.any(String))
      for (const [key, value] of Object.entries(line)) {
        types.set(key, (types.get(key) ?? new Set()).add(Array.isArray(value) ? 'array' : typeof value))
      }
    }
    expect([...types.keys()]).toEqual(
      expect.arrayContaining(['outcome', 'error', 'reason', 'trace_id', 'attempt']),
    )
    expect([...types].filter(([, kinds]) => kinds.size > 1)).toEqual([])
  })

  test('run.log takes errors', async () => {
    const { scheduler, lines } = setUp()
    scheduler.job('a', manual(), (run) => {
      run.log.error(new TypeError('odd'))
      run.log.warn({ error: new TypeError('odd') }, 'carrying on')
    })
    const run = await scheduler.run('a', undefined, { wait: true })
    const error = expect.objectContaining({ type: 'TypeError', message: 'odd' })
    const [first, second] = lines().filter((line) => line.error)
    expect(first).toMatchObject({ level: 'error', message: 'odd', run_id: run.id, error })
    expect(second).toMatchObject({ level: 'warn', message: 'carrying on', run_id: run.id, error })
  })

  test('runs at the same time never mix', async () => {
    const { clock, logger, scheduler, lines, work } = setUp()
    for (let i = 0; i < 50; i++) {
      scheduler.job(`job-${i}`, manual(), async (run) => {
        for (let step = 0; step < 5; step++) {
          await work(1 + ((i * 7 + step * 3) % 11))
          logger.info(`${run.job.name} ${run.id} ${run.traceId}`)
        }
      })
    }
    for (const job of scheduler.jobs()) await job.run()
    await clock.advance('1m')
    const said = lines().filter((line) => /^job-\d+ [0-9a-f-]{36} [0-9a-f]{32}$/.test(line.message as string))
    expect(said).toHaveLength(250)
    for (const line of said) expect(line.message).toBe(`${line.job} ${line.run_id} ${line.trace_id}`)
    expect(new Set(said.map((line) => line.trace_id)).size).toBe(50)
  })

  test('the number of the attempt is in its lines', async () => {
    const { clock, scheduler, logger, lines } = setUp()
    scheduler.job('a', manual(), { retry: { retries: 1, delay: '1s' } }, (run) => {
      logger.info('trying')
      if (run.attempt === 1) throw new Error('again')
    })
    await scheduler.run('a')
    await clock.advance('2s')
    const said = lines().filter((line) => line.message === 'trying')
    expect(said.map((line) => line.attempt)).toEqual([undefined, 2])
  })
})
