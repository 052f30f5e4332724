import { createScheduler, EscapementError, manual } from '@escapement/core'
import { liveRun } from '@escapement/testing'
import { expect, test } from 'vitest'
// The thread runs the compiled package, so the test does as well.
import { worker } from '../dist/index.js'

function setUp(options = {}) {
  const lines: [string, object, string | undefined][] = []
  const write = (level: string) => (fields: object, message?: string) =>
    void lines.push([level, fields, message])
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const scheduler = createScheduler({ logger })
  const handler = worker<{ kind: string }, unknown>(new URL('./handler.mjs', import.meta.url), {
    grace: 50,
    idle: 100,
  })
  scheduler.job('calc', manual(), options, handler)
  return { scheduler, lines }
}

test('data goes in, the result, log lines and progress come out', async () => {
  const { scheduler, lines } = setUp()
  const progress: unknown[] = []
  scheduler.on('progress', (_, info) => void progress.push(info))
  const run = await liveRun(scheduler, 'calc', { data: { kind: 'sum' }, event: 'settled' })
  expect(run.outcome).toBe('succeeded')
  expect(run.result).toEqual({ sum: 499999500000, tick: run.tick.id, attempt: 1 })
  expect(progress).toEqual([{ fraction: 0.5, note: 'half' }])
  expect(lines).toContainEqual([
    'info',
    expect.objectContaining({ job: 'calc', run_id: run.id, step: 'sum' }),
    'in a thread',
  ])
})

test('an error keeps its name and message', async () => {
  const { scheduler } = setUp()
  const run = await scheduler.run('calc', { kind: 'throw' }, { wait: true })
  expect(run.outcome).toBe('failed')
  expect(run.error).toMatchObject({ name: 'RangeError', message: 'from the thread' })
})

test('an error keeps its name, code, stack and causes', async () => {
  const { scheduler } = setUp()
  const { error } = await liveRun(scheduler, 'calc', { data: { kind: 'causes' }, event: 'settled' })
  const refused = (message: string) =>
    expect.objectContaining({ name: 'RefusedError', code: 'ECONNREFUSED', message })
  expect(error).toBeInstanceOf(Error)
  const { stack, cause } = error as Error & { cause: Error & { cause: AggregateError } }
  expect(stack).toContain('handler.mjs')
  expect(cause).toBeInstanceOf(TypeError)
  expect(cause).toMatchObject({ message: 'fetch failed', code: 'E_FETCH' })
  expect(cause.cause).toBeInstanceOf(AggregateError)
  expect(cause.cause).toMatchObject({ message: 'no address' })
  expect(cause.cause.errors).toEqual([refused('::1'), refused('127.0.0.1')])
})

test('an error of the package is one outside of the thread, too', async () => {
  const { scheduler } = setUp()
  const { error } = await liveRun(scheduler, 'calc', { data: { kind: 'nan' }, event: 'settled' })
  expect(error).toBeInstanceOf(EscapementError)
})

test('log lines with anything in them decide no outcome', async () => {
  const { scheduler, lines } = setUp()
  const run = await scheduler.run('calc', { kind: 'hostile' }, { wait: true })
  expect(run).toMatchObject({ outcome: 'succeeded', result: 'told' })
  const told = lines.filter(([level]) => level === 'warn' || level === 'error')
  expect(told).toEqual([
    ['warn', expect.objectContaining({ fn: expect.any(String), symbol: 'Symbol(s)' }), 'Symbol(odd)'],
    ['warn', expect.objectContaining({ job: 'calc' }), 'no keys'],
    [
      'error',
      expect.objectContaining({ error: expect.objectContaining({ code: 'E_LINE', message: 'with a code' }) }),
      'with a code',
    ],
  ])
})

test.each([
  ['nan', { code: 'ERR_ESCAPEMENT_OPTION', message: expect.stringContaining('from 0 to 1') }],
  ['coded', { name: 'HttpError', code: 'E_REFUSED', message: 'refused' }],
  ['circle', { code: 'E_CIRCLE', message: 'around' }],
  ['text', 'only text'],
  ['proxy', { message: 'hidden' }],
  ['function', {}],
  ['uncloneable', { code: 'ERR_ESCAPEMENT_DATA' }],
])('%s: what a thread throws is the failure of its run alone', async (kind, error) => {
  const { scheduler } = setUp()
  const run = await liveRun(scheduler, 'calc', { data: { kind }, event: 'settled' })
  expect(run.outcome).toBe('failed')
  if (typeof error === 'string') expect(run.error).toBe(error)
  else expect(run.error).toMatchObject(error)
  expect((await scheduler.run('calc', { kind: 'sum' }, { wait: true })).outcome).toBe('succeeded')
})

test('a timeout ends a thread that spins, and the next run gets a new one', async () => {
  const { scheduler } = setUp({ timeout: 300 })
  const begun = performance.now()
  const run = await scheduler.run('calc', { kind: 'spin' }, { wait: true })
  expect(run.outcome).toBe('timed-out')
  expect(performance.now() - begun).toBeLessThan(2000)
  expect((await scheduler.run('calc', { kind: 'sum' }, { wait: true })).outcome).toBe('succeeded')
})

test('a handler that heeds its signal may leave by itself', async () => {
  const { scheduler, lines } = setUp()
  const run = await liveRun(scheduler, 'calc', { data: { kind: 'polite' } })
  await expect.poll(() => lines.map(([, , message]) => message)).toContain('in a thread')
  run.cancel('enough')
  await expect.poll(() => run.outcome).toBe('cancelled')
  expect(lines.map(([, , message]) => message)).toContain('left politely')
})

test('a module that is not there is refused at once', () => {
  expect(() => worker(new URL('./nowhere.js', import.meta.url))).toThrow(/a file that exists/)
  expect(() => worker(new URL('./handler.mjs', import.meta.url), { threads: 0 })).toThrow(/threads/)
})
