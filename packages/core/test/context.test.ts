import { AsyncLocalStorage } from 'node:async_hooks'
import { currentRun, every, type Handler, type Maybe, manual, type Run } from '@escapement/core'
import { liveRun } from '@escapement/testing'
import { describe, expect, test } from 'vitest'
import { deferred, harness } from './harness.ts'

describe('run.signal', () => {
  test('calls its listeners in the context of the handler', async () => {
    const { clock, scheduler } = harness()
    const als = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    scheduler.job('a', manual(), { timeout: '1s' }, (run) =>
      als.run('mine', () => {
        run.signal.addEventListener('abort', () => seen.push(als.getStore(), currentRun()?.job.name))
        return new Promise(() => {})
      }),
    )
    await scheduler.run('a')
    await clock.advance('1s')
    expect(seen).toEqual(['mine', 'a'])
  })

  test('touched after the abort is aborted already', async () => {
    const { clock, scheduler } = harness()
    const gate = deferred()
    const seen = deferred<boolean>()
    scheduler.job('a', manual(), { timeout: '1s' }, async (run) => {
      await gate.promise
      seen.resolve(run.signal.aborted)
    })
    await scheduler.run('a')
    await clock.advance('1s')
    gate.resolve()
    expect(await seen.promise).toBe(true)
  })
})

describe('currentRun', () => {
  test('is the run of the handler, across awaits, and nothing outside', async () => {
    const { clock, scheduler } = harness()
    const seen: (string | undefined)[] = []
    for (const name of ['a', 'b']) {
      scheduler.job(name, every('1s'), async () => {
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 500))
        seen.push(currentRun()?.job.name)
      })
    }
    await scheduler.start()
    await clock.advance('2s')
    expect(seen).toEqual(['a', 'b'])
    expect(currentRun()).toBeUndefined()
  })

  test('a request does not leak its context into the run, nor a start into the ticks', async () => {
    const { clock, scheduler } = harness()
    const request = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    scheduler.job('a', every('1s'), () => void seen.push(request.getStore()))
    await request.run('request 1', async () => {
      await scheduler.start()
      await scheduler.run('a')
    })
    await clock.advance('2s')
    expect(seen).toEqual([undefined, undefined, undefined])
  })
})

describe('what the scheduler does', () => {
  test('is outside of what hooks and handlers enter, however synchronous all of it is', async () => {
    const entered = new AsyncLocalStorage<string>()
    const seen: [string, unknown][] = []
    const see = (what: string) => void seen.push([what, entered.getStore()])
    const plugin = {
      name: 'store',
      hooks: { run: (_run: Run, next: () => Maybe<void>) => entered.run('hook', next) },
      store: { begin: () => see('begin'), record: () => see('record'), runs: () => [] },
    }
    const { scheduler } = harness({ plugins: [plugin] })
    scheduler.job('a', manual(), () => {
      see('handler')
      entered.enterWith('handler')
    })
    for (let i = 0; i < 2; i++) await scheduler.run('a', undefined, { wait: true })
    const once = [
      ['begin', undefined],
      ['handler', 'hook'],
      ['record', undefined],
    ]
    expect(seen).toEqual([...once, ...once])
  })

  test('is outside of what a handler enters for good', async () => {
    const entered = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const { scheduler } = harness()
    scheduler.job('a', manual(), () => {
      seen.push(entered.getStore())
      entered.enterWith('left behind')
    })
    for (let i = 0; i < 2; i++) await scheduler.run('a', undefined, { wait: true })
    expect(seen).toEqual([undefined, undefined])
  })
})

describe('what is entered for good', () => {
  const als = new AsyncLocalStorage<string>()
  const other = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const see = () => void seen.push(als.getStore(), other.getStore())
  const pollute = () => {
    als.enterWith('left behind')
    other.enterWith('left behind')
  }
  const clean = (times: number) => Array(2 * times).fill(undefined)

  test.each([
    ['synchronously', () => pollute()],
    [
      'after an await',
      async () => {
        await Promise.resolve()
        pollute()
      },
    ],
    [
      'before it throws',
      () => {
        pollute()
        throw new Error('oops')
      },
    ],
  ])('%s by a job is not seen by the next one of the same second', async (_, handler) => {
    seen.length = 0
    const { clock, scheduler } = harness()
    for (const name of ['a', 'c']) scheduler.job(name, every('1s'), handler)
    for (const name of ['b', 'd']) scheduler.job(name, every('1s'), see)
    scheduler.job('e', every('1s'), { overlap: 'allow', timeout: '1m' }, see)
    await scheduler.start()
    await clock.advance('2s')
    expect(seen).toEqual(clean(6))
  })

  test('by one attempt is not seen by the next one, nor what retryIf enters', async () => {
    seen.length = 0
    const { clock, scheduler } = harness()
    const retry = {
      retries: 2,
      delay: 10,
      retryIf: () => {
        pollute()
        return true
      },
    }
    scheduler.job('a', manual(), { retry }, async () => {
      see()
      pollute()
      throw new Error('again')
    })
    await scheduler.run('a')
    await clock.advance('1s')
    expect(seen).toEqual(clean(3))
  })

  test('by a hook is seen by the handler, and not by the next run', async () => {
    seen.length = 0
    const hooks: string[] = []
    const plugin = {
      name: 'hook',
      hooks: {
        run: (_run: Run, next: () => Maybe<void>) => {
          hooks.push(String(als.getStore()))
          als.enterWith('of the hook')
          return next()
        },
      },
    }
    const { clock, scheduler } = harness({ plugins: [plugin] })
    for (const name of ['a', 'b']) scheduler.job(name, every('1s'), () => void seen.push(als.getStore()))
    await scheduler.start()
    await clock.advance('1s')
    expect(hooks).toEqual(['undefined', 'undefined'])
    expect(seen).toEqual(['of the hook', 'of the hook'])
  })

  test('by a lock is not seen by the next run', async () => {
    seen.length = 0
    const refused = { granted: false as const, reason: 'overlap' as const }
    const lock = {
      claim: () => {
        see()
        pollute()
        return refused
      },
    }
    const { clock, scheduler } = harness({ plugins: [{ name: 'lock', lock }] })
    for (const name of ['a', 'b']) scheduler.job(name, every('1s'), () => {})
    await scheduler.start()
    await clock.advance('1s')
    expect(seen).toEqual(clean(2))
  })

  test('is not seen by listeners, whoever has entered it, nor is the run', async () => {
    seen.length = 0
    const runs: unknown[] = []
    const { clock, scheduler } = harness()
    for (const event of [
      'running',
      'progress',
      'waiting-retry',
      'failed',
      'settled',
      'added',
      'paused',
    ] as const)
      scheduler.on(event, () => {
        see()
        runs.push(currentRun())
        pollute()
      })
    scheduler.job('a', every('1s'), { retry: 1 }, (run) => {
      pollute()
      run.progress(0.5)
      scheduler.job(`made-${run.attempt}`, manual(), () => {})
      void scheduler.pause(`made-${run.attempt}`)
      throw new Error('oops')
    })
    await scheduler.start()
    await clock.advance('3s')
    expect(seen.length).toBeGreaterThan(10)
    expect(seen.filter(Boolean)).toEqual([])
    expect(runs.filter(Boolean)).toEqual([])
  })
})

describe('run.group', () => {
  test('the first error aborts the others and is thrown when all have settled', async () => {
    const { clock, scheduler } = harness()
    const ended: string[] = []
    scheduler.job('a', manual(), async (run) => {
      const group = run.group()
      void group.add(async () => {
        throw new Error('first')
      })
      void group.add(
        (signal) =>
          new Promise<void>((_, reject) => {
            signal.addEventListener('abort', () =>
              clock.setTimeout(() => {
                ended.push('sibling')
                reject(signal.reason)
              }, 1000),
            )
          }),
      )
      await group.done()
    })
    const run = await liveRun(scheduler, 'a')
    await clock.advance('500ms')
    expect(run.outcome).toBeUndefined()
    await clock.advance('500ms')
    expect(ended).toEqual(['sibling'])
    expect(run.outcome).toBe('failed')
    expect(String(run.error)).toBe('Error: first')
  })

  test('is waited for and fails the run, even if the handler forgets it', async () => {
    const { clock, scheduler } = harness()
    scheduler.job('a', manual(), (run) => {
      run
        .group()
        .add(async () => {
          await new Promise<void>((resolve) => clock.setTimeout(resolve, 1000))
          throw new Error('forgotten')
        })
        .catch(() => {})
    })
    const run = await liveRun(scheduler, 'a')
    await clock.settle()
    expect(run.state).toBe('running')
    await clock.advance('1s')
    expect(run.outcome).toBe('failed')
  })

  test('keeps to its limit', async () => {
    const { clock, scheduler } = harness()
    let active = 0
    let most = 0
    scheduler.job('a', manual(), async (run) => {
      const group = run.group({ limit: 3 })
      for (let i = 0; i < 10; i++) {
        void group.add(async () => {
          most = Math.max(most, ++active)
          await new Promise<void>((resolve) => clock.setTimeout(resolve, 10))
          active--
        })
      }
      await group.done()
    })
    const run = await liveRun(scheduler, 'a')
    await clock.advance('1s')
    expect(run.outcome).toBe('succeeded')
    expect(most).toBe(3)
  })
})

describe('run.onCleanup', () => {
  test.each([
    ['success', () => 'ok', 'succeeded'],
    [
      'a throw',
      () => {
        throw new Error('no')
      },
      'failed',
    ],
    [
      'a rejection',
      async () => {
        throw new Error('no')
      },
      'failed',
    ],
    ['a handler that never settles', () => new Promise(() => {}), 'timed-out'],
  ])('is called after %s, the last registered first', async (_, end, outcome) => {
    const { clock, scheduler } = harness()
    const calls: number[] = []
    scheduler.job('a', manual(), { timeout: '1s' }, (run) => {
      run.onCleanup(() => calls.push(1))
      run.onCleanup(() => {
        throw new Error('a broken cleanup')
      })
      run.onCleanup(async () => calls.push(3))
      return end()
    })
    const run = await liveRun(scheduler, 'a')
    await clock.advance('5s')
    expect(calls).toEqual([3, 1])
    expect(run.outcome).toBe(outcome)
  })
})

describe('exclusive', () => {
  test('lets one holder of a name in at a time, in order, over runs and jobs', async () => {
    const { clock, scheduler } = harness()
    const order: string[] = []
    const work = (name: string) => async (run: import('@escapement/core').Run) => {
      await run.exclusive('ledger', async () => {
        order.push(`${name} in`)
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 100))
        order.push(`${name} out`)
      })
    }
    scheduler.job('a', manual(), work('a'))
    scheduler.job('b', manual(), work('b'))
    const runs = await Promise.all([liveRun(scheduler, 'a'), liveRun(scheduler, 'b')])
    await clock.advance('1s')
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out'])
    expect(runs.map((run) => run.outcome)).toEqual(['succeeded', 'succeeded'])
  })

  test('a waiter that is aborted goes, and the next one still waits for the holder', async () => {
    const { clock, scheduler } = harness()
    const gate = deferred()
    const order: string[] = []
    const first = scheduler.exclusive('x', () => gate.promise)
    const controller = new AbortController()
    const second = scheduler.exclusive('x', () => void order.push('second'), controller.signal)
    const third = scheduler.exclusive('x', () => void order.push('third'))
    controller.abort(new Error('gone'))
    await expect(second).rejects.toThrow('gone')
    await clock.settle()
    expect(order).toEqual([])
    gate.resolve()
    await Promise.all([first, third])
    expect(order).toEqual(['third'])
  })
})

test('progress is reported', async () => {
  const { scheduler } = harness()
  const told: unknown[] = []
  scheduler.on('progress', (run, info) => void told.push([run.job.name, info]))
  scheduler.job('a', manual(), (run) => {
    run.progress(0.5, 'half')
    expect(() => run.progress(2)).toThrow('0 to 1')
  })
  await scheduler.run('a', undefined, { wait: true })
  expect(told).toEqual([['a', { fraction: 0.5, note: 'half' }]])
})

test('run.log writes through the logger with the ids of its run', async () => {
  const { scheduler, lines } = harness()
  scheduler.job('a', manual(), (run) => {
    run.traceId = 'abc'
    run.log.info({ files: 3 }, 'cleaned')
    run.log.warn('plain')
  })
  const run = await scheduler.run('a', undefined, { wait: true })
  const mine = lines.filter(({ message }) => message === 'cleaned' || message === 'plain')
  const ids = { job: 'a', run_id: run.id, tick: `a@${run.scheduledAt.toISOString()}`, trace_id: 'abc' }
  expect(mine).toMatchObject([
    { level: 'info', fields: { ...ids, files: 3 } },
    { level: 'warn', fields: ids },
  ])
})

test('the line of a run that ended badly has the link to its trace, on a console as well', async () => {
  const shown: [string, string][] = []
  const show = (level: string) => (text: string) => void shown.push([level, text])
  const console = {
    debug: show('debug'),
    info: show('info'),
    warn: show('warn'),
    error: show('error'),
    table() {},
  }
  const { scheduler } = harness({ logger: console })
  const trace = (run: Run) => {
    run.traceUrl = `https://jaeger.example/trace/${run.job.name}`
  }
  scheduler.job('good', manual(), trace)
  scheduler.job('cancelled', manual(), (run) => {
    trace(run)
    run.cancel()
  })
  scheduler.job('bad', manual(), (run) => {
    trace(run)
    throw new Error('disk full')
  })
  scheduler.job('untraced', manual(), () => Promise.reject(new Error('disk full')))
  for (const { name } of scheduler.jobs()) await scheduler.run(name, undefined, { wait: true })
  const linked = shown.filter(([, text]) => text.includes('trace_url'))
  expect(linked).toEqual([
    [
      'error',
      expect.stringMatching(
        /^bad failed .* trace_url=https:\/\/jaeger\.example\/trace\/bad\nError: disk full\n/,
      ),
    ],
  ])
})

test.each(['a job', 'the scheduler', 'a plugin'])('an executor given by %s calls the handler', async (by) => {
  const calls: string[] = []
  const executor = {
    execute: async (run: Run, handler: Handler) => {
      calls.push(`${run.job.name} ${currentRun() === run}`)
      return `${await handler(run)}, elsewhere`
    },
  }
  const { scheduler } = harness({
    ...(by === 'the scheduler' && { defaults: { executor } }),
    ...(by === 'a plugin' && { plugins: [{ name: 'elsewhere', defaults: { executor } }] }),
  })
  scheduler.job('a', manual(), by === 'a job' ? { executor } : {}, () => 'done')
  const run = await scheduler.run('a', undefined, { wait: true })
  expect(run.result).toBe('done, elsewhere')
  expect(calls).toEqual(['a true'])
})
