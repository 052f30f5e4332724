import { alerts } from '@escapement/alerts'
import { createScheduler } from '@escapement/core'
import { afterEach, expect, test } from 'vitest'
import { email } from '../src/index.ts'
import { type Mailbox, mailbox } from './smtp.ts'

let box: Mailbox
afterEach(() => box.close())

test('a failed run sends a mail with all that is needed to act; a recovery mail follows in its thread', async () => {
  box = await mailbox()
  const traced = {
    name: 'tracing',
    hooks: {
      run: (run: { traceId: string | undefined; traceparent: string | undefined }, next: () => unknown) => {
        run.traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
        run.traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
        return next() as Promise<void>
      },
    },
  }
  const scheduler = createScheduler({
    instance: 'web-1',
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    plugins: [
      traced,
      alerts({
        channels: [
          email({ url: box.url, from: 'Jobs <jobs@example.org>', to: 'ops@example.org', app: 'shop' }),
        ],
        groupWait: 0,
        groupInterval: 0,
        traceUrl: (id) => `https://jaeger.example/trace/${id}`,
      }),
    ],
  })
  let broken = true
  const options = {
    timezone: 'Asia/Shanghai',
    description: 'Adds up the sales of the day',
    owner: 'data@example.org',
    runbook: 'https://wiki.example/daily-report',
    retry: { retries: 2, delay: 1 },
  }
  scheduler.job('daily-report', '0 9 * * *', options, () => {
    if (broken) throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' })
  })
  await scheduler.start()
  const run = await scheduler.run('daily-report', undefined, { wait: true })
  const [mail] = await box.arrived(1)
  expect(mail?.subject).toBe('[shop] daily-report: failed')
  expect(mail?.headers.get('auto-submitted')).toBe('auto-generated')
  expect(mail?.from?.text).toBe('"Jobs" <jobs@example.org>')
  expect(box.recipients).toEqual([['ops@example.org']])
  for (const body of [mail?.text, mail?.html]) {
    expect(body).toContain('daily-report')
    expect(body).toContain('connect ECONNREFUSED 10.0.0.7:5432')
    expect(body).toContain('after 3 attempts')
    expect(body).toContain('Attempt 2')
    expect(body).toContain(run.id)
    expect(body).toContain('4bf92f3577b34da6a3ce929d0e0e4736')
    expect(body).toContain('https://jaeger.example/trace/4bf92f3577b34da6a3ce929d0e0e4736')
    expect(body).toContain('https://wiki.example/daily-report')
    expect(body).toContain('data@example.org')
    expect(body).toContain('GMT+8')
    expect(body).toContain('UTC')
    expect(body).toContain('web-1')
    expect(body).toContain('email.int.test.ts')
  }

  broken = false
  await scheduler.run('daily-report', undefined, { wait: true })
  const [, recovery] = await box.arrived(2)
  expect(recovery?.subject).toBe('Re: [shop] daily-report: failed')
  expect(recovery?.inReplyTo).toBe(mail?.messageId)
  expect(recovery?.references).toEqual(mail?.messageId)
  expect(recovery?.text).toContain('daily-report works again')
  await scheduler.stop()
})
