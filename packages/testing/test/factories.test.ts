/** The rule of every factory: an option that does not exist or cannot be used is a coded error where it is given. */
import { alerts, dingtalk, feishu, heartbeat, slack, webhook, wecom } from '@escapement/alerts'
import { EscapementError } from '@escapement/core'
import { email } from '@escapement/email'
import { otel } from '@escapement/otel'
import { prometheus } from '@escapement/prometheus'
import { worker } from '@escapement/worker'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const url = 'https://hooks.example/T0P/S3CRET'
const mail = { url: 'smtp://user:S3CRET@mail.example', from: 'a@example.org', to: 'b@example.org' }
const channel = { name: 'mail', send: async () => {} }
const robot = { url, secret: 'S3CRET', name: 'x', app: 'x', locale: 'en', rate: { messages: 1, per: '1s' } }

type Factory = (options: never) => unknown

/** A factory, options that it takes, and options that do nothing or cannot work. */
const factories: [
  name: string,
  make: Factory,
  good: Record<string, unknown>,
  bad: Record<string, unknown>[],
][] = [
  [
    'alerts',
    alerts,
    {
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
    [
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
  ],
  [
    'slack',
    slack,
    { ...robot, secret: undefined },
    [{ secret: 'x' }, { locale: 'fr' }, { rate: { message: 1 } }, { app: 5 }, { name: '' }],
  ],
  [
    'wecom',
    wecom,
    { ...robot, secret: undefined },
    [{ rate: 5 }, { rate: { messages: 1, per: '1s', burst: 1 } }],
  ],
  [
    'dingtalk',
    dingtalk,
    { ...robot, at: ['1'] },
    [{ sercet: 'x' }, { secret: '' }, { secret: 5 }, { at: '123' }, { at: [123] }],
  ],
  ['feishu', feishu, robot, [{ sercet: 'x' }, { secret: '' }, { secret: null }]],
  [
    'webhook',
    webhook,
    { url, name: 'x', rate: robot.rate, secret: 'S3CRET', headers: { 'x-a': 'b' }, limit: 2048 },
    [
      { sercet: 'x' },
      { secret: '' },
      { limit: 1 },
      { headers: { 'a b': 'c' } },
      { headers: { a: 'S3CRET\r\nx: y' } },
      { app: 'x' },
    ],
  ],
  [
    'heartbeat',
    heartbeat,
    {
      jobs: { a: url },
      alive: { url, every: '1m' },
      request: () => ({ url }),
      tries: 1,
      timeout: '1s',
      queue: 1,
      flush: '1s',
    },
    [
      { job: { a: url } },
      { alive: { url, evry: '1m' } },
      { alive: url },
      { jobs: 'x' },
      { request: url },
      { jobs: { a: 'S3CRET' } },
    ],
  ],
  [
    'email',
    email,
    {
      ...mail,
      cc: 'c@example.org',
      replyTo: 'd@example.org',
      locale: 'en',
      app: 'x',
      name: 'x',
      close: true,
    },
    [
      { form: 'a@b.c' },
      { subject: 'x' },
      { close: 'yes' },
      { app: 1 },
      { name: '' },
      { transport: 'smtp://user:S3CRET@host' },
    ],
  ],
  [
    'otel',
    otel,
    {
      propagation: 'link',
      attributes: () => ({}),
      traceUrl: () => '',
      lockSpanOver: 10,
      skipSpans: true,
      faas: true,
      metrics: true,
    },
    [{ propagation: true }, { lockSpanOver: -1 }, { faas: 1 }, { tracer: {} }],
  ],
  [
    'prometheus',
    prometheus,
    { exemplars: true, defaultMetrics: false, buckets: [1, 2] },
    [{ register: {} }, { buckets: ['1'] }, { buckets: 5 }, { prefix: 'x' }],
  ],
  [
    'worker',
    (options: never) => worker(new URL(import.meta.url), options),
    { threads: 1, idle: '1s', grace: '1s', resourceLimits: { maxOldGenerationSizeMb: 10 } },
    [
      { thread: 2 },
      { threads: '4' },
      { threads: 1.5 },
      { resourceLimits: { maxOldSpaceMb: 5 } },
      { resourceLimits: { stackSizeMb: '4' } },
    ],
  ],
]

const refusal = (make: () => unknown) => {
  try {
    make()
  } catch (error) {
    return error
  }
}

describe.each(factories)('%s', (_name, make, good, bad) => {
  const whole = Object.fromEntries(Object.entries(good).filter(([, value]) => value !== undefined))

  test('takes what it knows', () => {
    expect(refusal(() => make(whole as never))).toBeUndefined()
  })

  test.each(bad)('refuses %o', (options) => {
    const given = 'transport' in options ? { ...whole, url: undefined, ...options } : { ...whole, ...options }
    const thrown = refusal(() => make(given as never))
    expect(thrown).toBeInstanceOf(EscapementError)
    expect(String(thrown)).not.toContain('S3CRET')
  })

  test('any unknown option is refused with a hint at the one that was meant', () => {
    for (const key of Object.keys(whole)) {
      const misspelt = { ...whole, [`${key}x`]: whole[key] }
      expect(refusal(() => make(misspelt as never))).toMatchObject({
        code: 'ERR_ESCAPEMENT_OPTION',
        message: expect.stringContaining(`did you mean ${key}?`),
      })
    }
  })

  test('any garbage is taken or refused with a code, never shown as a secret', () => {
    const keys = Object.keys(whole)
    const garbage = fc.oneof(
      fc.anything(),
      fc.tuple(fc.constantFrom(...keys), fc.anything()).map(([key, value]) => ({ ...whole, [key]: value })),
    )
    fc.assert(
      fc.property(garbage, (options) => {
        const thrown = refusal(() => make(options as never))
        if (thrown === undefined) return
        expect(thrown).toBeInstanceOf(EscapementError)
        expect(String(thrown)).not.toContain('S3CRET')
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 200) },
    )
  })
})

test.each([
  [undefined],
  [null],
  [5],
  ['./handler.js'],
  ['/no/such/file.js'],
  [new URL('https://x.example/a.js')],
])('worker(%o) is refused', (module) => {
  expect(refusal(() => worker(module as never))).toMatchObject({ code: 'ERR_ESCAPEMENT_OPTION' })
})
