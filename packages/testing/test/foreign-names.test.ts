/** Names that other libraries give to an option: each factory says what it is called here. */
import { alerts, heartbeat, slack } from '@escapement/alerts'
import { createScheduler, every, memoryStore, upcoming } from '@escapement/core'
import { email } from '@escapement/email'
import { createScheduler as createExpressScheduler } from '@escapement/express'
import { createScheduler as createKoaScheduler } from '@escapement/koa'
import { otel } from '@escapement/otel'
import { postgres } from '@escapement/postgres'
import { prometheus } from '@escapement/prometheus'
import { redisLock } from '@escapement/redis-lock'
import { redisStore } from '@escapement/redis-store'
import { sqlite } from '@escapement/sqlite'
import { worker } from '@escapement/worker'
import { describe, expect, test } from 'vitest'

type Make = (options: never) => unknown

const scheduler = createScheduler()
const job: Make = (options) => scheduler.job(`job-${Math.random()}`, every('1h'), options, () => {})

/** A factory, a foreign name and the option that it must name; an unknown option of no meaning is tried with each, too. */
const factories: [name: string, make: Make, foreign: Record<string, string>][] = [
  [
    'createScheduler',
    createScheduler,
    { tz: 'timezone', timeZone: 'timezone', log: 'logger', maxConcurrency: 'concurrency' },
  ],
  ['createScheduler of express', createExpressScheduler as Make, { tz: 'timezone', log: 'logger' }],
  ['createScheduler of koa', createKoaScheduler as Make, { tz: 'timezone', log: 'logger' }],
  [
    'scheduler.job',
    job,
    {
      tz: 'timezone',
      timeZone: 'timezone',
      retries: 'retry',
      attempts: 'retry',
      maxRetries: 'retry',
      concurrency: 'overlap',
      noOverlap: 'overlap',
      preventOverrun: 'overlap',
      maxExecutionTime: 'timeout',
      ttl: 'timeout',
      recoverMissedExecutions: 'missed',
      misfire: 'missed',
      catchup: 'catchUpWindow',
      payload: 'data',
      randomDelay: 'spread',
      enabled: 'paused',
    },
  ],
  ['memoryStore', memoryStore, {}],
  [
    'upcoming',
    (options) => upcoming(every('1h'), options),
    { tz: 'timezone', startDate: 'from', endDate: 'until' },
  ],
  [
    'redisLock',
    redisLock as Make,
    {
      client: 'clients',
      redis: 'clients',
      connection: 'clients',
      prefix: 'namespace',
      keyPrefix: 'namespace',
      ttl: 'lease',
    },
  ],
  [
    'redisStore',
    redisStore as Make,
    { client: 'redis', connection: 'redis', keyPrefix: 'prefix', namespace: 'prefix' },
  ],
  ['sqlite', sqlite as Make, { path: 'file', filename: 'file', ttl: 'lease' }],
  ['postgres', postgres as Make, { client: 'pool', connection: 'pool', prefix: 'schema', ttl: 'lease' }],
  ['alerts', alerts as Make, { channel: 'channels' }],
  ['slack', slack as Make, {}],
  ['heartbeat', heartbeat as Make, {}],
  ['email', email as Make, {}],
  ['otel', otel as Make, {}],
  ['prometheus', prometheus as Make, {}],
  ['worker', (options) => worker(new URL(import.meta.url), options), { gracePeriod: 'grace' }],
]

const refusal = (make: () => unknown) => {
  try {
    make()
  } catch (error) {
    return error
  }
}

describe.each(factories)('%s', (_name, make, foreign) => {
  test('an option that nobody knows is refused with the names that there are', () => {
    expect(refusal(() => make({ zzzzzzzzzz: 1 } as never))).toMatchObject({
      code: 'ERR_ESCAPEMENT_OPTION',
      message: expect.stringMatching(/there is no .* "zzzzzzzzzz": expected one of \w+/),
    })
  })

  test.runIf(Object.keys(foreign).length > 0).each(Object.entries(foreign))(
    '%s is called %s',
    (name, meant) => {
      expect(refusal(() => make({ [name]: 'x' } as never))).toMatchObject({
        code: 'ERR_ESCAPEMENT_OPTION',
        message: expect.stringMatching(new RegExp(`"${name}": did you mean ${meant}\\?`)),
      })
    },
  )
})

test.each(['runOnInit', 'runOnStart', 'immediate'])(
  'a job has no option %s: the message says how to run it',
  (name) => {
    expect(refusal(() => job({ [name]: true } as never))).toMatchObject({
      code: 'ERR_ESCAPEMENT_OPTION',
      message: `there is no job option "${name}": ask for a run when the scheduler has started: scheduler.run(name)`,
    })
  },
)
