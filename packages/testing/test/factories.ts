/** All factories of all packages that take options. */
import { admin } from '@escapement/admin'
import { alerts, dingtalk, feishu, heartbeat, slack, webhook, wecom } from '@escapement/alerts'
import {
  after,
  at,
  between,
  createScheduler,
  cron,
  every,
  type JobOptions,
  limit,
  memoryStore,
  upcoming,
} from '@escapement/core'
import { dashboard } from '@escapement/dashboard'
import { email } from '@escapement/email'
import {
  createScheduler as createExpressScheduler,
  healthz as expressHealthz,
  middleware as expressMiddleware,
} from '@escapement/express'
import { health } from '@escapement/http'
import {
  createScheduler as createKoaScheduler,
  healthz as koaHealthz,
  middleware as koaMiddleware,
} from '@escapement/koa'
import { otel } from '@escapement/otel'
import { postgres } from '@escapement/postgres'
import { prometheus } from '@escapement/prometheus'
import { redisLock } from '@escapement/redis-lock'
import { redisStore } from '@escapement/redis-store'
import { sqlite } from '@escapement/sqlite'
import { VirtualClock } from '@escapement/testing'
import { worker } from '@escapement/worker'
import { describe as describeCron } from '../../cli/src/index.ts'

interface Factory {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: options of all kinds, and what is none
  readonly make: (options: any) => unknown
  /** Each option that there is. Undefined: one that another factory of the kind has. */
  readonly good: Readonly<Record<string, unknown>>
  /** Options that do nothing or cannot work. */
  readonly bad: readonly Record<string, unknown>[]
  /** Names that other libraries give to an option, and its name here. */
  readonly foreign: Readonly<Record<string, string>>
}

const url = 'https://hooks.example/T0P/S3CRET'
const mail = { url: 'smtp://user:S3CRET@mail.example', from: 'a@example.org', to: 'b@example.org' }
const channel = { name: 'mail', send: async () => {} }
const robot = { url, secret: 'S3CRET', name: 'x', app: 'x', locale: 'en', rate: { messages: 1, per: '1s' } }
const schema = { '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) } }
const fleetOptions = {
  lock: false,
  migrate: false,
  retention: { runs: 5, age: '1d', total: 100, failures: { age: '1d', runs: 5 }, claims: '48h' },
  heartbeat: '1s',
  lease: '10s',
  poll: '1s',
  maxRestarts: 1,
}
const adminOptions = { auth: () => undefined, hide: ['data'], hosts: ['a.example'], title: 'x' }
const middlewareOptions = { start: 'never', grace: '1s', signals: { delay: '1s' }, guard: false }
const schedulerOptions = {
  plugins: [],
  timezone: 'UTC',
  dst: 'skip',
  defaults: { retry: 3 },
  concurrency: 5,
  maxQueued: 5,
  logger: console,
  redact: (text: string) => text,
  drain: { grace: '1s', abort: '1s' },
  version: '1',
  roles: ['web'],
  instance: 'x',
  clock: new VirtualClock(),
}

const scheduler = createScheduler({ clock: new VirtualClock() })
export const job = (options: JobOptions): unknown =>
  scheduler.job(`job-${scheduler.jobs().length}`, every('1h'), options, () => {})

export const factories: readonly Factory[] = [
  {
    name: 'createScheduler',
    make: createScheduler,
    good: schedulerOptions,
    bad: [
      { concurrency: 0.5 },
      { maxQueued: -1 },
      { timezone: 'Mars/Base' },
      { dst: 'none' },
      { plugins: {} },
      { drain: { grac: 1 } },
      { defaults: { retrys: 3 } },
      { roles: 'web' },
      { redact: 'x' },
      { logger: 5 },
    ],
    foreign: { tz: 'timezone', timeZone: 'timezone', log: 'logger', maxConcurrency: 'concurrency' },
  },
  {
    name: 'createScheduler of express',
    make: createExpressScheduler,
    good: schedulerOptions,
    bad: [{ timezon: 'UTC' }],
    foreign: { tz: 'timezone', log: 'logger' },
  },
  {
    name: 'createScheduler of koa',
    make: createKoaScheduler,
    good: schedulerOptions,
    bad: [{ timezon: 'UTC' }],
    foreign: { tz: 'timezone', log: 'logger' },
  },
  {
    name: 'scheduler.job',
    make: job,
    good: {
      timezone: 'UTC',
      dst: 'skip',
      missed: 'all',
      catchUpWindow: '1h',
      overlap: 'queue',
      retry: { retries: 3, backoff: 'fixed', delay: '1s', maxDelay: '1m', jitter: 0.1, retryIf: () => true },
      timeout: '1m',
      slow: '1m',
      spread: '1s',
      priority: 1,
      maxQueued: 5,
      blackout: { weekdays: [6] },
      onAbandoned: 'rerun',
      onLockUnavailable: 'run',
      executor: { execute() {} },
      keep: { data: false },
      schema,
      data: { a: 1 },
      paused: true,
      description: 'x',
      owner: 'x',
      runbook: 'x',
      group: 'x',
      role: 'x',
      formerly: 'x',
    },
    bad: [
      { retry: { retrys: 3 } },
      { retry: -1 },
      { overlap: 'wait' },
      { missed: true },
      { timeout: '-1s' },
      { priority: 0.5 },
      { keep: { datas: false } },
      { executor: () => {} },
      { paused: 'yes' },
      { timezone: 'Mars/Base' },
    ],
    foreign: {
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
  },
  {
    name: 'memoryStore',
    make: memoryStore,
    good: { limit: 10 },
    bad: [{ limit: -1 }, { limit: '5' }],
    foreign: {},
  },
  {
    name: 'cron',
    make: (options) => cron('0 3 * * *', options),
    good: { timezone: 'UTC', dst: 'skip', seed: 'a' },
    bad: [{ dst: 'x' }, { timezone: 'Mars/Base' }, { seed: 5 }],
    foreign: { tz: 'timezone' },
  },
  {
    name: 'every',
    make: (options) => every('1h', options),
    good: { phase: '5m', expression: 'x' },
    bad: [{ phase: 'x' }, { expression: 5 }],
    foreign: {},
  },
  {
    name: 'at',
    make: (options) => at('2030-01-01T00:00:00', options),
    good: { timezone: 'UTC' },
    bad: [{ timezone: 5 }],
    foreign: { tz: 'timezone' },
  },
  {
    name: 'between',
    make: (options) => between('0 3 * * *', undefined, new Date(), options),
    good: { timezone: 'UTC' },
    bad: [{ timezone: 'Mars/Base' }],
    foreign: { tz: 'timezone' },
  },
  {
    name: 'limit',
    make: (options) => limit('0 3 * * *', 5, options),
    good: { from: '2030-01-01', timezone: 'UTC' },
    bad: [{ from: 'soon' }],
    foreign: { tz: 'timezone' },
  },
  {
    name: 'after',
    make: (options) => after('a', options),
    good: { on: 'failed' },
    bad: [{ on: 'never' }],
    foreign: {},
  },
  {
    name: 'upcoming',
    make: (options) => upcoming('0 3 * * *', options),
    good: { from: new Date(), count: 3, until: new Date(), timezone: 'UTC', dst: 'skip', seed: 'a' },
    bad: [{ count: -1 }, { from: 'soon' }],
    foreign: { tz: 'timezone', startDate: 'from', endDate: 'until' },
  },
  {
    name: 'redisLock',
    make: redisLock,
    good: {
      clients: ['redis://u:S3CRET@localhost'],
      namespace: 'a',
      lease: '10s',
      heartbeat: '1s',
      scan: '1s',
      timeout: '500ms',
      maxLate: '1m',
      retention: '1h',
      onAbandoned: 'rerun',
      maxRestarts: 1,
      onLockUnavailable: 'run',
      replicaAcks: 1,
      guard: false,
      fleet: false,
      maxClockSkew: '10s',
    },
    bad: [
      { clients: [] },
      { clients: [5] },
      { lease: 1 },
      { heartbeat: '9s' },
      { namespace: '{x}' },
      { guard: 1 },
      { replicaAcks: -1 },
    ],
    foreign: {
      client: 'clients',
      redis: 'clients',
      connection: 'clients',
      prefix: 'namespace',
      keyPrefix: 'namespace',
      ttl: 'lease',
    },
  },
  {
    name: 'redisStore',
    make: redisStore,
    good: {
      redis: 'redis://u:S3CRET@localhost',
      prefix: 'a',
      maxBytes: '10mb',
      retention: { runs: 5, age: '1d', total: 100, failures: { age: '1d', runs: 5 } },
    },
    bad: [{ redis: 5 }, { maxBytes: 'much' }, { retention: { run: 5 } }, { prefix: '' }],
    foreign: { client: 'redis', connection: 'redis', keyPrefix: 'prefix', namespace: 'prefix' },
  },
  {
    name: 'sqlite',
    make: sqlite,
    good: { file: 'S3CRET.db', durability: 'full', ...fleetOptions },
    bad: [{ file: '' }, { durability: 'none' }, { lease: 1 }, { retention: { run: 5 } }, { lock: 1 }],
    foreign: { path: 'file', filename: 'file', ttl: 'lease' },
  },
  {
    name: 'postgres',
    make: postgres,
    good: { pool: { query: async () => ({ rows: [] }) }, schema: 'a', timeout: '1s', ...fleetOptions },
    bad: [
      { pool: 'postgres://u:S3CRET@host' },
      { schema: 'A B' },
      { lease: 1 },
      { retention: { failures: { run: 1 } } },
    ],
    foreign: { client: 'pool', connection: 'pool', prefix: 'schema', ttl: 'lease' },
  },
  {
    name: 'alerts',
    make: alerts,
    good: {
      channels: [channel],
      rules: [{ match: { job: 'a' }, severity: 'info' }],
      inhibit: [{ when: { kind: 'failed' }, mute: { kind: 'slow' }, same: 'job' }],
      throttle: { messages: 1, per: '1h' },
      escalate: { to: 'mail', times: 2 },
      tries: 3,
      backoff: '1s',
      timeout: '1s',
      flush: '1s',
      details: 10,
      watch: '15s',
      traceUrl: () => '',
      quiet: { from: '22:00', to: '07:00', days: [1] },
    },
    bad: [
      { channels: [slack] },
      { rules: { match: {} } },
      { rules: [null] },
      { rules: [{ match: { jobs: 'a' } }] },
      { rules: [{ match: {}, serverity: 'info' }] },
      { inhibit: [{ when: {}, mute: {}, sames: 'job' }] },
      { inhibit: [{ when: {}, mute: {}, same: 'kind' }] },
      { throttle: { messages: 1, per: '1h', burst: 2 } },
      { throttle: { messages: 1.5, per: '1h' } },
      { throttle: true },
      { escalate: [{ to: 'mail', time: 2 }] },
      { escalate: { to: 'mail', times: 2, afetr: 1 } },
      { escalate: { times: 2 } },
      { enabled: 'yes' },
      { traceUrl: 'https://jaeger' },
      { tries: 0.5 },
      { quiet: { from: '22:00', to: '07:00', timezon: 'UTC' } },
      { quiet: '22:00-07:00' },
    ],
    foreign: { channel: 'channels' },
  },
  {
    name: 'slack',
    make: slack,
    good: { ...robot, secret: undefined },
    bad: [{ secret: 'x' }, { locale: 'fr' }, { rate: { message: 1 } }, { app: 5 }, { name: '' }],
    foreign: {},
  },
  {
    name: 'wecom',
    make: wecom,
    good: { ...robot, secret: undefined },
    bad: [{ rate: 5 }, { rate: { messages: 1, per: '1s', burst: 1 } }],
    foreign: {},
  },
  {
    name: 'dingtalk',
    make: dingtalk,
    good: { ...robot, at: ['1'] },
    bad: [{ sercet: 'x' }, { secret: '' }, { secret: 5 }, { at: '123' }, { at: [123] }],
    foreign: {},
  },
  {
    name: 'feishu',
    make: feishu,
    good: robot,
    bad: [{ sercet: 'x' }, { secret: '' }, { secret: null }],
    foreign: {},
  },
  {
    name: 'webhook',
    make: webhook,
    good: { url, name: 'x', rate: robot.rate, secret: 'S3CRET', headers: { 'x-a': 'b' }, limit: 2048 },
    bad: [
      { sercet: 'x' },
      { secret: '' },
      { limit: 1 },
      { headers: { 'a b': 'c' } },
      { headers: { a: 'S3CRET\r\nx: y' } },
      { app: 'x' },
    ],
    foreign: {},
  },
  {
    name: 'heartbeat',
    make: heartbeat,
    good: {
      jobs: { a: url },
      alive: { url, every: '1m' },
      request: () => ({ url }),
      tries: 1,
      timeout: '1s',
      queue: 1,
      flush: '1s',
    },
    bad: [
      { job: { a: url } },
      { alive: { url, evry: '1m' } },
      { alive: url },
      { jobs: 'x' },
      { request: url },
      { jobs: { a: 'S3CRET' } },
    ],
    foreign: {},
  },
  {
    name: 'email',
    make: email,
    good: {
      ...mail,
      cc: 'c@example.org',
      replyTo: 'd@example.org',
      locale: 'en',
      app: 'x',
      name: 'x',
      close: true,
    },
    bad: [
      { form: 'a@b.c' },
      { subject: 'x' },
      { close: 'yes' },
      { app: 1 },
      { name: '' },
      { transport: 'smtp://user:S3CRET@host' },
    ],
    foreign: {},
  },
  {
    name: 'otel',
    make: otel,
    good: {
      propagation: 'link',
      attributes: () => ({}),
      traceUrl: () => '',
      lockSpanOver: 10,
      skipSpans: true,
      faas: true,
      metrics: true,
    },
    bad: [{ propagation: true }, { lockSpanOver: -1 }, { faas: 1 }, { tracer: {} }],
    foreign: {},
  },
  {
    name: 'prometheus',
    make: prometheus,
    good: { exemplars: true, defaultMetrics: false, buckets: [1, 2] },
    bad: [{ register: {} }, { buckets: ['1'] }, { buckets: 5 }, { prefix: 'x' }],
    foreign: {},
  },
  {
    name: 'worker',
    make: (options) => worker(new URL(import.meta.url), options),
    good: { threads: 1, idle: '1s', grace: '1s', resourceLimits: { maxOldGenerationSizeMb: 10 } },
    bad: [
      { thread: 2 },
      { threads: '4' },
      { threads: 1.5 },
      { resourceLimits: { maxOldSpaceMb: 5 } },
      { resourceLimits: { stackSizeMb: '4' } },
    ],
    foreign: { gracePeriod: 'grace' },
  },
  {
    name: 'admin',
    make: (options) => admin(scheduler, options),
    good: adminOptions,
    bad: [{ auth: 'S3CRET' }, { hide: ['errors'] }, { hosts: 'a' }, { title: 5 }],
    foreign: {},
  },
  {
    name: 'dashboard',
    make: (options) => dashboard(scheduler, options),
    good: adminOptions,
    bad: [{ auth: 'S3CRET' }, { hide: ['errors'] }],
    foreign: {},
  },
  {
    name: 'middleware of express',
    make: (options) => expressMiddleware(scheduler, options),
    good: middlewareOptions,
    bad: [{ start: 'now' }, { signals: { delai: 1 } }, { signals: { on: ['SIGNOPE'] } }, { guard: 1 }],
    foreign: { signal: 'signals', gracePeriod: 'grace' },
  },
  {
    name: 'middleware of koa',
    make: (options) => koaMiddleware(scheduler, options),
    good: middlewareOptions,
    bad: [{ start: 'now' }],
    foreign: { signal: 'signals', gracePeriod: 'grace' },
  },
  {
    name: 'healthz of express',
    make: (options) => expressHealthz(scheduler, options),
    good: { probe: 'live' },
    bad: [{ probe: 'dead' }],
    foreign: {},
  },
  {
    name: 'healthz of koa',
    make: (options) => koaHealthz(scheduler, options),
    good: { probe: 'live' },
    bad: [{ probe: 'dead' }],
    foreign: {},
  },
  {
    name: 'health',
    make: (options) => health(scheduler, options),
    good: { probe: 'live' },
    bad: [{ probe: 'dead' }],
    foreign: {},
  },
  {
    name: 'describe',
    make: (options) => describeCron('0 3 * * *', options),
    good: { lang: 'zh', seed: 'a' },
    bad: [{ lang: 'fr' }],
    foreign: {},
  },
]
