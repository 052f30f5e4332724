import { readFileSync } from 'node:fs'
import { codes, createScheduler, EscapementError, every, manual } from '@escapement/core'
import { expect, test } from 'vitest'

test('the docs list every code with its meaning', () => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(ERR_\w+)` \| (.+) \|$/gm)].map(([, code, meaning]) => [code, meaning])
  expect(rows).toEqual(Object.entries(codes))
})

const handler = () => {}

/** What is refused at registration: arguments of `job()`, the code, and what the message must say. */
const refused: [string, unknown[], string, RegExp][] = [
  ['no name', ['', '* * * * *', handler], 'JOB_NAME', /1 to 200 characters.*got ""/],
  ['a name that is no string', [7, '* * * * *', handler], 'JOB_NAME', /got 7/],
  ['a name with a line break', ['a\nb', '* * * * *', handler], 'JOB_NAME', /control characters/],
  ['a name that is taken', ['taken', '* * * * *', handler], 'JOB_EXISTS', /"taken" already/],
  ['no handler', ['a', '* * * * *'], 'HANDLER', /"a" needs a handler.*undefined/],
  ['options but no handler', ['a', '* * * * *', { retry: 1 }], 'HANDLER', /last argument/],
  ['a bad expression', ['a', '61 * * * *', handler], 'CRON', /minute.*61/],
  ['an expression that never fires', ['a', '0 0 30 2 *', handler], 'TRIGGER', /never/],
  ['an unknown zone', ['a', '* * * * *', { timezone: 'Europe/Berln' }, handler], 'TIMEZONE', /Europe\/Berln/],
  ['no trigger', ['a', undefined, handler], 'TRIGGER', /undefined/],
  ['a negative timeout', ['a', '* * * * *', { timeout: -5 }, handler], 'DURATION', /timeout.*-5/],
  [
    'a timeout that is no duration',
    ['a', '* * * * *', { timeout: 'soon' }, handler],
    'DURATION',
    /timeout.*"soon"/,
  ],
  ['a timeout longer than a timer', ['a', '* * * * *', { timeout: '30d' }, handler], 'DURATION', /at most/],
  ['an unknown option', ['a', '* * * * *', { timeuot: 5 }, handler], 'OPTION', /did you mean timeout/],
  [
    'an unknown retry option',
    ['a', '* * * * *', { retry: { retires: 5 } }, handler],
    'OPTION',
    /did you mean retries/,
  ],
  ['half a retry', ['a', '* * * * *', { retry: 1.5 }, handler], 'OPTION', /whole number.*1\.5/],
  [
    'an unknown overlap',
    ['a', '* * * * *', { overlap: 'maybe' }, handler],
    'OPTION',
    /'skip' or 'queue'.*"maybe"/,
  ],
  ['a broken schema', ['a', '* * * * *', { schema: {} }, handler], 'OPTION', /Standard Schema/],
  ['a broken blackout', ['a', '* * * * *', { blackout: 5 }, handler], 'OPTION', /blackout/],
  [
    'an owner that is no string',
    ['a', '* * * * *', { owner: 5 }, handler],
    'OPTION',
    /owner must be a string/,
  ],
]

test.each(refused)('refuses %s', (_, args, code, message) => {
  const scheduler = createScheduler()
  scheduler.job('taken', manual(), handler)
  const register = () => (scheduler.job as (...args: unknown[]) => unknown).apply(scheduler, args)
  expect(register).toThrow(message)
  expect(codeOf(register)).toBe(`ERR_ESCAPEMENT_${code}`)
  expect(scheduler.jobs()).toHaveLength(1)
})

test.each([
  ['an unknown option', { timezon: 'UTC' }, 'OPTION', /did you mean timezone/],
  ['a concurrency of none', { concurrency: 0 }, 'OPTION', /concurrency.*at least 1/],
  ['a negative grace', { drain: { grace: -1 } }, 'DURATION', /drain.grace/],
  ['a logger without methods', { logger: {} }, 'OPTION', /method debug/],
  ['a plugin factory', { plugins: [() => {}] }, 'PLUGIN', /was its factory called/],
  ['a plugin given twice', { plugins: [{ name: 'a' }, { name: 'a' }] }, 'PLUGIN', /twice/],
  [
    'two locks',
    {
      plugins: [
        { name: 'a', lock: {} },
        { name: 'b', lock: {} },
      ],
    },
    'PLUGIN',
    /a and b/,
  ],
  ['a default that is none', { defaults: { overlap: 'x' } }, 'OPTION', /overlap/],
])('a scheduler refuses %s', (_, options, code, message) => {
  const create = () => createScheduler(options as never)
  expect(create).toThrow(message)
  expect(codeOf(create)).toBe(`ERR_ESCAPEMENT_${code}`)
})

test('a trigger that breaks later is reported, asked again, and harms nobody', async () => {
  const { harness } = await import('./harness.ts')
  const { clock, scheduler, log } = harness()
  let calls = 0
  const told: string[] = []
  scheduler.on('error', (error, where) => void told.push(`${where.job} ${(error as Error).message}`))
  const trigger = {
    next(after: Date) {
      calls++
      if (calls === 2) throw new Error('no calendar')
      return new Date(after.getTime() + 60_000)
    },
  }
  scheduler.job('odd', trigger, handler)
  scheduler.job('good', every('1m'), handler)
  await scheduler.start()
  await clock.advance('3m')
  expect(told).toEqual(['odd no calendar'])
  expect(log).toEqual([
    'odd succeeded 00:01:00',
    'good succeeded 00:01:00',
    'good succeeded 00:02:00',
    'odd succeeded 00:02:30',
    'good succeeded 00:03:00',
  ])
})

function codeOf(fn: () => unknown): string | undefined {
  try {
    fn()
  } catch (error) {
    return (error as EscapementError).code
  }
}

test('a framework may write the status it answers with, as Koa does', () => {
  const error = new EscapementError('ERR_ESCAPEMENT_CRON', 'no')
  const other = new EscapementError('ERR_ESCAPEMENT_NOT_RUN', 'no')
  error.status = 500
  expect([error.status, other.status]).toEqual([500, 409])
  expect(Object.keys(error)).not.toContain('status')
})
