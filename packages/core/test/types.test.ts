import { createScheduler, every, manual, type Run } from '@escapement/core'
import { type } from 'arktype'
import * as v from 'valibot'
import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'

declare module '@escapement/core' {
  interface JobData {
    typed: { userId: number }
  }
}

const schemas = {
  zod: z.object({ userId: z.number(), since: z.string().default('today') }),
  valibot: v.object({ userId: v.number(), since: v.optional(v.string(), 'today') }),
  arktype: type({ userId: 'number', since: "string = 'today'" }),
}

test.each(Object.entries(schemas))('%s checks the data of a request', async (_, schema) => {
  const scheduler = createScheduler()
  let seen: unknown
  const job = scheduler.job(
    'a',
    manual(),
    { schema: schema as typeof schemas.zod, data: { userId: 0 } },
    (run) => {
      seen = run.data
    },
  )
  await job.run({ userId: 7 }, { wait: true })
  expect(seen).toEqual({ userId: 7, since: 'today' })
  await expect(job.run({ userId: '7' } as never)).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_DATA',
    message: expect.stringContaining('userId'),
  })
})

test('what scheduled runs would get is checked at registration', () => {
  const scheduler = createScheduler()
  const register = () => scheduler.job('a', every('1h'), { schema: schemas.zod }, () => {})
  expect(register).toThrow(/data option.*schema of a/)
})

test('the types follow without annotations', () => {
  const scheduler = createScheduler()
  const job = scheduler.job('z', manual(), { schema: schemas.zod, data: { userId: 1 } }, (run) => {
    expectTypeOf(run.data).toEqualTypeOf<{ userId: number; since: string }>()
    expectTypeOf(run.signal).toEqualTypeOf<AbortSignal>()
  })
  expectTypeOf(job.run)
    .parameter(0)
    .toEqualTypeOf<{ userId: number; since?: string | undefined } | undefined>()
  scheduler.job<{ n: number }>('t', manual(), (run) => {
    expectTypeOf(run.data).toEqualTypeOf<{ n: number }>()
  })
  scheduler.job('u', '* * * * *', (run) => {
    expectTypeOf(run).toEqualTypeOf<Run<unknown>>()
  })
  expectTypeOf(scheduler.run<'typed'>)
    .parameter(1)
    .toEqualTypeOf<{ userId: number } | undefined>()
  // @ts-expect-error the data of a known job
  const wrong = () => scheduler.run('typed', { userId: 'x' })
  // @ts-expect-error no such option
  const unknown = () => scheduler.job('x', '* * * * *', { timeuot: 5 }, () => {})
  expect([wrong, unknown]).toHaveLength(2)
})
