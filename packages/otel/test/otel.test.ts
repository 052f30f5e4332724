import { EscapementError, every, type Lock, manual, type Run } from '@escapement/core'
import { otel } from '@escapement/otel'
import { liveRun } from '@escapement/testing'
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AlwaysOffSampler, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { harness, here, registerSdk, unregister } from './tracing.ts'

let sdk: ReturnType<typeof registerSdk>
beforeEach(() => {
  sdk = registerSdk()
})
afterEach(unregister)

const named = (name: string): ReadableSpan[] => sdk.spans().filter((span) => span.name === name)
const one = (name: string): ReadableSpan => {
  const found = named(name)
  expect(found, name).toHaveLength(1)
  return found[0] as ReadableSpan
}
const tracer = () => trace.getTracer('test')

describe('the span of a run', () => {
  test('is a root with the job in its attributes and no status when it succeeds', async () => {
    const { clock, scheduler } = harness({ plugins: [otel()] })
    let run: Run | undefined
    scheduler.job('report', '0 1 * * *', (given) => {
      run = given
    })
    await scheduler.start()
    await clock.advance('1h')

    const span = one('job report')
    expect(span.kind).toBe(SpanKind.INTERNAL)
    expect(span.parentSpanContext).toBeUndefined()
    expect(span.links).toEqual([])
    expect(span.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(span.attributes).toEqual({
      'job.system': 'escapement',
      'job.name': 'report',
      'job.run.id': run?.id,
      'job.cause': 'schedule',
      'job.trigger': 'schedule',
      'job.schedule': '0 1 * * *',
      'job.schedule.timezone': 'UTC',
      'job.scheduled_time': '2026-01-01T01:00:00.000Z',
      'job.outcome': 'succeeded',
      'job.attempt': 1,
    })
  })

  test('gives its ids to the run before the handler starts: to events, log lines and the handler', async () => {
    const { clock, scheduler, lines } = harness({ plugins: [otel()] })
    const seen: unknown[] = []
    scheduler.on('running', (run) => seen.push(run.traceId))
    scheduler.job('report', '0 1 * * *', (run) => {
      seen.push(run.traceId, run.traceparent)
      run.log.info('building')
    })
    await scheduler.start()
    await clock.advance('1h')

    const { traceId, spanId } = one('job report').spanContext()
    expect(seen).toEqual([traceId, traceId, `00-${traceId}-${spanId}-01`])
    const mine = lines.filter((line) => line.job === 'report')
    expect(mine.map((line) => line.message)).toEqual(['report running', 'building', 'report succeeded'])
    for (const line of mine) {
      expect(line).toMatchObject({ trace_id: traceId, span_id: spanId, trace_flags: '01' })
    }
  })

  test('holds what the handler traces, across awaits and timers, and ends after it', async () => {
    const { clock, scheduler } = harness({ plugins: [otel()] })
    scheduler.job('report', '0 1 * * *', async () => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 500))
      tracer().startActiveSpan('outer', (outer) => {
        tracer().startSpan('inner').end()
        outer.end()
      })
    })
    await scheduler.start()
    await clock.advance('1h')
    await clock.advance('1s')

    const root = one('job report')
    const outer = one('outer')
    expect(outer.parentSpanContext?.spanId).toBe(root.spanContext().spanId)
    expect(one('inner').parentSpanContext?.spanId).toBe(outer.spanContext().spanId)
    expect(new Set(sdk.spans().map((span) => span.spanContext().traceId)).size).toBe(1)
    expect(sdk.spans().at(-1)).toBe(root)
  })

  test('is current in abort listeners, whoever aborts', async () => {
    const { clock, scheduler } = harness({ plugins: [otel()] })
    const seen: unknown[] = []
    const listen = (run: Run) =>
      new Promise<void>((resolve) => {
        run.signal.addEventListener('abort', () => {
          seen.push(here()?.traceId === run.traceId)
          resolve()
        })
      })
    scheduler.job('by-timeout', manual(), { timeout: '1s' }, listen)
    scheduler.job('by-another', manual(), listen)
    scheduler.job('at-shutdown', manual(), { retry: 1 }, listen)
    await scheduler.start()
    await scheduler.run('by-timeout')
    const other = await liveRun(scheduler, 'by-another')
    await scheduler.run('at-shutdown')
    await clock.advance('1s')
    tracer().startActiveSpan('elsewhere', () => other.cancel())
    const stopped = scheduler.stop({ grace: 0 })
    await clock.advance('5s')
    await stopped
    expect(seen).toEqual([true, true, true])
  })

  test('names the sampling decision', async () => {
    unregister()
    registerSdk(new AlwaysOffSampler())
    const { scheduler } = harness({ plugins: [otel()] })
    scheduler.job('report', manual(), () => {})
    const run = await liveRun(scheduler, 'report', { event: 'settled' })
    expect(run.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  })

  describe('traceUrl', () => {
    const traceUrl = (id: string) => `https://jaeger.example/trace/${id}`
    const fails = async (run: Run) => {
      seen.push(run.traceUrl)
      throw new Error('disk full')
    }
    let seen: unknown[]
    beforeEach(() => {
      seen = []
    })

    test('is a link on the run before the handler starts, and in the line of a run that ended badly', async () => {
      const { clock, scheduler, lines } = harness({ plugins: [otel({ traceUrl })] })
      scheduler.job('bad', manual(), { retry: { retries: 1, delay: '1s' } }, fails)
      scheduler.job('good', manual(), (run) => void seen.push(run.traceUrl))
      scheduler.job('slow', manual(), { timeout: '1s' }, () => new Promise(() => {}))
      const runs = [
        await liveRun(scheduler, 'bad'),
        await liveRun(scheduler, 'good'),
        await liveRun(scheduler, 'slow'),
      ]
      await clock.advance('10s')
      const [bad, good, slow] = runs.map((run) => traceUrl(run.traceId as string))
      expect(runs.map((run) => run.traceUrl)).toEqual([bad, good, slow])
      expect(seen).toEqual([bad, good, bad])
      const linked = lines.filter((line) => 'trace_url' in line)
      expect(linked.map(({ level, message, trace_url }) => [level, message, trace_url])).toEqual(
        expect.arrayContaining([
          ['error', 'bad failed', bad],
          ['error', 'slow timed-out', slow],
        ]),
      )
      expect(linked).toHaveLength(2)
    })

    test('is none without the option, nor for a trace that is not sampled, nor without an SDK', async () => {
      const run = async (options: Parameters<typeof otel>[0]) => {
        const { scheduler, lines } = harness({ plugins: [otel(options)] })
        scheduler.job('bad', manual(), fails)
        await scheduler.run('bad', undefined, { wait: true })
        expect(lines.find(({ message }) => message === 'bad failed')).not.toHaveProperty('trace_url')
      }
      await run({})
      unregister()
      registerSdk(new AlwaysOffSampler())
      await run({ traceUrl })
      unregister()
      await run({ traceUrl })
      expect(seen).toEqual([undefined, undefined, undefined])
    })

    test('that throws costs neither the trace nor the run', async () => {
      const broken = () => {
        throw new Error('mine')
      }
      const { scheduler, lines, runs } = harness({ plugins: [otel({ traceUrl: broken })] })
      scheduler.job('report', manual(), () => here()?.traceId)
      await scheduler.run('report', undefined, { wait: true })
      expect(runs[0]).toMatchObject({ outcome: 'succeeded', result: runs[0]?.traceId, traceUrl: undefined })
      expect(one('job report').spanContext().traceId).toBe(runs[0]?.traceId)
      expect(lines.filter(({ level }) => level === 'warn')).toEqual([
        expect.objectContaining({ run_id: runs[0]?.id, error: expect.objectContaining({ message: 'mine' }) }),
      ])
    })
  })

  test('takes more attributes: of the app, and for functions', async () => {
    const attributes = (run: Run) => ({ 'app.tenant': (run.data as { tenant: string }).tenant })
    const { scheduler } = harness({ plugins: [otel({ faas: true, attributes })] })
    scheduler.job('report', '0 1 * * *', () => {})
    const run = await scheduler.run('report', { tenant: 'acme' }, { wait: true })
    expect(one('job report').attributes).toMatchObject({
      'app.tenant': 'acme',
      'faas.trigger': 'other',
      'faas.cron': '0 1 * * *',
      'faas.invocation_id': run.id,
    })
  })

  test('runs the handler even when the attributes throw', async () => {
    const { scheduler, runs } = harness({
      plugins: [
        otel({
          attributes: () => {
            throw new Error('mine')
          },
        }),
      ],
    })
    const faults: string[] = []
    scheduler.on('error', (_error, { source }) => faults.push(source))
    scheduler.job('report', manual(), () => 'done')
    await scheduler.run('report', undefined, { wait: true })
    expect(runs[0]).toMatchObject({ outcome: 'succeeded', result: 'done' })
    expect(faults).toEqual(['otel.run'])
  })
})

describe('outcomes', () => {
  async function outcomeOf(
    options: Parameters<ReturnType<typeof harness>['scheduler']['job']>[2],
    handler: (run: Run) => unknown,
  ) {
    const { clock, scheduler } = harness({ plugins: [otel()] })
    scheduler.job('a', manual(), options as object, handler)
    await scheduler.run('a')
    await clock.advance('1m')
    const { status, attributes, events } = one('job a')
    return { status, attributes, events: events.map((event) => event.attributes) }
  }

  test('failed: the error in status, attributes and as an event', async () => {
    const { status, attributes, events } = await outcomeOf({}, () => {
      throw Object.assign(new TypeError('no such folder'), { code: 'ENOENT' })
    })
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'no such folder' })
    expect(attributes).toMatchObject({ 'job.outcome': 'failed', 'error.type': 'ENOENT' })
    expect(events).toEqual([
      expect.objectContaining({ 'exception.message': 'no such folder', 'exception.type': 'ENOENT' }),
    ])
  })

  test('failed with something that is no error', async () => {
    const { status, attributes } = await outcomeOf({}, () => Promise.reject('plain'))
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'plain' })
    expect(attributes['error.type']).toBe('string')
  })

  test('failed with nothing at all', async () => {
    const { status, attributes } = await outcomeOf({}, () => Promise.reject())
    expect(status.code).toBe(SpanStatusCode.ERROR)
    expect(attributes).toMatchObject({ 'job.outcome': 'failed', 'error.type': '_OTHER' })
  })

  test('timed-out: an error, of its code', async () => {
    const { status, attributes } = await outcomeOf({ timeout: '1s' }, () => new Promise(() => {}))
    expect(status.code).toBe(SpanStatusCode.ERROR)
    expect(attributes).toMatchObject({
      'job.outcome': 'timed-out',
      'error.type': 'ERR_ESCAPEMENT_TIMEOUT',
    })
  })

  test('cancelled: no error', async () => {
    const { status, attributes, events } = await outcomeOf({}, (run) => {
      run.cancel()
    })
    expect(status).toEqual({ code: SpanStatusCode.UNSET })
    expect(attributes['job.outcome']).toBe('cancelled')
    expect(attributes).not.toHaveProperty('error.type')
    expect(events).toEqual([])
  })
})

describe('attempts', () => {
  test('have spans when there may be several; a run that recovers is no error', async () => {
    const { clock, scheduler } = harness({ plugins: [otel()] })
    scheduler.job('a', manual(), { retry: { retries: 3, delay: '1s' } }, async (run) => {
      await Promise.resolve()
      tracer().startSpan(`work ${run.attempt}`).end()
      if (run.attempt < 3) throw new RangeError(`no luck ${run.attempt}`)
    })
    await scheduler.run('a')
    await clock.advance('1m')

    const root = one('job a')
    const attempts = named('job.attempt')
    expect(attempts.map((span) => span.attributes['job.attempt'])).toEqual([1, 2, 3])
    expect(attempts.map((span) => span.status.message)).toEqual(['no luck 1', 'no luck 2', undefined])
    expect(attempts.map((span) => span.attributes['error.type'])).toEqual([
      'RangeError',
      'RangeError',
      undefined,
    ])
    attempts.forEach((span, i) => {
      expect(span.parentSpanContext?.spanId).toBe(root.spanContext().spanId)
      expect(one(`work ${i + 1}`).parentSpanContext?.spanId).toBe(span.spanContext().spanId)
    })
    expect(root.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(root.attributes).toMatchObject({ 'job.outcome': 'succeeded', 'job.attempt': 3 })
    expect(root.events).toEqual([])
  })

  test('of a handler that is synchronous', async () => {
    const { scheduler } = harness({ plugins: [otel()] })
    scheduler.job('a', manual(), { retry: 1 }, () => {})
    await scheduler.run('a', undefined, { wait: true })
    expect(one('job.attempt').status.code).toBe(SpanStatusCode.UNSET)
  })
})

describe('the asker of a run', () => {
  const ask = async (options: Parameters<typeof otel>[0]) => {
    const { scheduler } = harness({ plugins: [otel(options)] })
    scheduler.job('a', manual(), () => {})
    await tracer().startActiveSpan('POST /reports', async (span) => {
      await scheduler.run('a', undefined, { wait: true })
      span.end()
    })
    return { root: one('job a'), asker: one('POST /reports').spanContext() }
  }

  test('is linked', async () => {
    const { root, asker } = await ask({})
    expect(root.parentSpanContext).toBeUndefined()
    expect(root.spanContext().traceId).not.toBe(asker.traceId)
    expect(root.links.map((link) => link.context)).toEqual([asker])
  })

  test('is the parent, when asked for', async () => {
    const { root, asker } = await ask({ propagation: 'parent' })
    expect(root.parentSpanContext?.spanId).toBe(asker.spanId)
    expect(root.spanContext().traceId).toBe(asker.traceId)
    expect(root.links).toEqual([])
  })

  test('is nothing, when asked for', async () => {
    const { root, asker } = await ask({ propagation: 'none' })
    expect(root.parentSpanContext).toBeUndefined()
    expect(root.spanContext().traceId).not.toBe(asker.traceId)
    expect(root.links).toEqual([])
  })
})

describe('what does not belong to a run', () => {
  test('ticks of jobs that were registered, started or resumed under a span', async () => {
    const { clock, scheduler } = harness({ plugins: [otel()] })
    await tracer().startActiveSpan('POST /jobs', async () => {
      await scheduler.start()
      scheduler.job('a', every('1s'), () => {})
      void scheduler.job('b', every('1s'), { paused: true }, () => {}).resume()
    })
    scheduler.job('maker', manual(), () => {
      scheduler.job('c', every('1s'), () => {})
    })
    await scheduler.run('maker', undefined, { wait: true })
    await clock.advance('2s')
    const roots = sdk.spans().filter((span) => /^job [abc]$/.test(span.name))
    expect(roots).toHaveLength(6)
    expect(new Set(roots.map((span) => span.spanContext().traceId)).size).toBe(6)
    expect(roots.every((span) => !span.parentSpanContext && span.links.length === 0)).toBe(true)
  })

  test('claims, lease renewals, the end of a claim, and the drain', async () => {
    const seen: [string, unknown][] = []
    const lock: Lock = {
      async claim() {
        seen.push(['claim', here()])
        const beat = () => {
          seen.push(['beat', here()])
          clock.setTimeout(beat, 400)
        }
        clock.setTimeout(beat, 400)
        return {
          granted: true,
          held: () => true,
          onLost: () => () => {},
          complete: async () => void seen.push(['complete', here()]),
          release: async () => {},
        }
      },
    }
    const { clock, scheduler } = harness({
      plugins: [otel(), { name: 'lock', lock, stop: () => void seen.push(['stop', here()]) }],
    })
    scheduler.on('drain', () => seen.push(['drain', here()]))
    scheduler.job(
      'a',
      every('1s'),
      { retry: 1 },
      () => new Promise((done) => clock.setTimeout(done as () => void, 500)),
    )
    await scheduler.start()
    await clock.advance('1600ms')
    const stopped = tracer().startActiveSpan('SIGTERM', () => scheduler.stop())
    await clock.advance('1s')
    await stopped
    expect(new Set(seen.map(([what]) => what))).toEqual(
      new Set(['claim', 'beat', 'complete', 'drain', 'stop']),
    )
    expect(seen.filter(([, span]) => span !== undefined)).toEqual([])
  })

  test('what the store writes, at the beginning of a run and at its end', async () => {
    const seen: [string, unknown][] = []
    const store = {
      begin: () => void seen.push(['begin', here()]),
      record: () => void seen.push(['record', here()]),
      runs: () => [],
    }
    const { scheduler } = harness({ plugins: [otel(), { name: 'store', store }] })
    scheduler.job('a', manual(), { retry: 1 }, () => Promise.resolve())
    await tracer().startActiveSpan('POST /reports', () => scheduler.run('a', undefined, { wait: true }))
    expect(seen).toEqual([
      ['begin', undefined],
      ['record', undefined],
    ])
  })

  test('the renewals of a mutex; what runs under it and hears of its loss does', async () => {
    const seen: [string, unknown][] = []
    const lock: Lock = {
      claim: async () => ({
        granted: true,
        held: () => true,
        onLost: () => () => {},
        complete: async () => {},
        release: async () => {},
      }),
      async exclusive(_name, fn) {
        seen.push(['ask', here()])
        const lost = new AbortController()
        clock.setTimeout(() => {
          seen.push(['beat', here()])
          lost.abort(new Error('lost'))
        }, 100)
        return fn(lost.signal)
      },
    }
    const { clock, scheduler } = harness({ plugins: [otel(), { name: 'lock', lock }] })
    let traceId: string | undefined
    scheduler.job('a', manual(), (run) => {
      traceId = run.traceId
      return run.exclusive('name', async (signal) => {
        seen.push(['under', here()?.traceId])
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            seen.push(['heard', here()?.traceId], ['why', signal.reason.message])
            resolve()
          })
        })
      })
    })
    await scheduler.run('a')
    await clock.advance('1s')
    expect(seen).toEqual([
      ['ask', undefined],
      ['under', traceId],
      ['beat', undefined],
      ['heard', traceId],
      ['why', 'lost'],
    ])
  })

  test('the context outside: it is as before', async () => {
    const { scheduler } = harness({ plugins: [otel()] })
    scheduler.job('a', manual(), () => {})
    await scheduler.run('a', undefined, { wait: true })
    expect(context.active()).toBe(ROOT_CONTEXT)
  })
})

describe('the lock', () => {
  const slowLock = (clock: () => { setTimeout(fn: () => void, ms: number): unknown }, ms: number): Lock => ({
    claim: (run) =>
      new Promise((resolve) => {
        clock().setTimeout(
          () =>
            resolve(
              run.job.name === 'theirs'
                ? { granted: false, reason: 'claimed-elsewhere' }
                : {
                    granted: true,
                    held: () => true,
                    onLost: () => () => {},
                    complete: async () => {},
                    release: async () => {},
                  },
            ),
          ms,
        )
      }),
  })

  test('that took long has a span of its own, inside of the run', async () => {
    const h = harness({ plugins: [otel(), { name: 'lock', lock: slowLock(() => h.clock, 150) }] })
    h.scheduler.job('a', every('1s'), () => {})
    await h.scheduler.start()
    await h.clock.advance('1900ms')
    const lock = one('job.lock.acquire')
    const root = one('job a')
    expect(lock.parentSpanContext?.spanId).toBe(root.spanContext().spanId)
    expect(lock.duration).toEqual([0, 150e6])
    expect(lock.startTime).toEqual(root.startTime)
    expect(root.status.code).toBe(SpanStatusCode.UNSET)
  })

  test('that answered at once has none', async () => {
    const h = harness({ plugins: [otel(), { name: 'lock', lock: slowLock(() => h.clock, 9) }] })
    h.scheduler.job('a', every('1s'), () => {})
    await h.scheduler.start()
    await h.clock.advance('1900ms')
    expect(sdk.spans().map((span) => span.name)).toEqual(['job a'])
  })

  test('that went to another instance leaves no span, unless asked for', async () => {
    for (const skipSpans of [false, true]) {
      const h = harness({
        plugins: [otel({ skipSpans }), { name: 'lock', lock: slowLock(() => h.clock, 1) }],
      })
      h.scheduler.job('theirs', every('1s'), () => {})
      await h.scheduler.start()
      await h.clock.advance('1900ms')
    }
    const skipped = one('job theirs')
    expect(skipped.attributes).toMatchObject({
      'job.outcome': 'skipped',
      'job.skip.reason': 'claimed-elsewhere',
    })
    expect(skipped.status).toEqual({ code: SpanStatusCode.UNSET })
  })
})

describe('otel()', () => {
  test.each([
    [{ propagate: 'link' }, 'ERR_ESCAPEMENT_OPTION', /no otel\(\) option "propagate"/],
    [{ propagation: 'follow' }, 'ERR_ESCAPEMENT_OPTION', /'link' or 'parent' or 'none', but is "follow"/],
    [{ attributes: {} }, 'ERR_ESCAPEMENT_OPTION', /a function/],
    [{ metrics: 'no' }, 'ERR_ESCAPEMENT_OPTION', /true or false, but is "no"/],
    [{ lockSpanOver: '5 parsecs' }, 'ERR_ESCAPEMENT_DURATION', /lockSpanOver/],
  ])('refuses %j', (options, code, message) => {
    let thrown: unknown
    try {
      otel(options as object)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(EscapementError)
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) })
  })
})
