import { every } from '@escapement/core'
import { type Played, simulate } from '@escapement/testing'
import { expect, test } from 'vitest'

const YEAR = { from: '2026-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' }

function times(played: readonly Played[], job: string, outcome = 'succeeded'): string[] {
  return played
    .filter((one) => one.job === job && one.outcome === outcome)
    .map(({ scheduledAt }) => new Date(scheduledAt).toISOString().slice(0, 16))
}

test('a year in Berlin: fixed times meet DST as vixie cron does, intervals follow elapsed time', async () => {
  const played = await simulate({
    ...YEAR,
    timezone: 'Europe/Berlin',
    jobs: {
      gap: { trigger: '30 2 * * *' },
      hourly: { trigger: '0 * * * *' },
      quarter: { trigger: every('15m') },
    },
  })
  const gap = times(played, 'gap')
  expect(gap).toHaveLength(365)
  // 02:30 does not exist on 29 March: it runs at 03:00. On 25 October it exists twice: it runs in the first pass.
  expect(gap.filter((at) => at.startsWith('2026-03-29'))).toEqual(['2026-03-29T01:00'])
  expect(gap.filter((at) => at.startsWith('2026-10-25'))).toEqual(['2026-10-25T00:30'])
  expect(times(played, 'hourly')).toHaveLength(365 * 24)
  expect(times(played, 'quarter')).toHaveLength(365 * 96)
  expect(new Set(played.map(({ outcome }) => outcome))).toEqual(new Set(['succeeded']))
})

test('nothing is early and nothing runs twice, whatever is done to the clock', async () => {
  const played = await simulate({
    ...YEAR,
    jobs: { often: { trigger: '*/10 * * * *' }, daily: { trigger: '0 12 * * *', takes: '2h' } },
    faults: [
      { at: '2026-02-01T12:30:00Z', step: 3_600_000 },
      { at: '2026-03-01T12:30:00Z', step: -1_800_000 },
      { at: '2026-04-01T11:59:00Z', block: '3h' },
      { at: '2026-05-01T11:00:00Z', down: '50h' },
      { at: '2026-06-01T11:59:59Z', step: 500 },
    ],
  })
  for (const { at, scheduledAt } of played) expect(at).toBeGreaterThanOrEqual(scheduledAt)
  const daily = times(played, 'daily')
  expect(new Set(daily).size).toBe(daily.length)
  // Each day has one: also those of the block (late), of the steps, and the newest of the three it was down for.
  expect(daily).toHaveLength(363)
  expect(times(played, 'daily', 'missed')).toEqual(['2026-05-01T12:00'])
})

test('runs that take longer than their interval are skipped as the policy says, and failures are counted', async () => {
  let attempts = 0
  const played = await simulate({
    from: '2026-01-01T00:00:00Z',
    to: '2026-01-02T00:00:30Z',
    jobs: {
      long: { trigger: '0 * * * *', takes: '90m' },
      weak: {
        trigger: '30 * * * *',
        retry: { retries: 1, delay: '1s', jitter: 0 },
        fails: () => ++attempts % 3 === 0,
      },
    },
  })
  const of = (job: string) => played.filter((one) => one.job === job)
  expect(
    of('long')
      .map(({ outcome, reason }) => reason ?? outcome)
      .slice(0, 4),
  ).toEqual(['overlap', 'succeeded', 'overlap', 'succeeded'])
  expect(times(played, 'weak')).toHaveLength(24)
  expect(attempts).toBeGreaterThan(24)
})

test('instants that are none are refused', async () => {
  await expect(simulate({ jobs: {}, from: 'never', to: '2026-01-01' })).rejects.toThrow('not a date: never')
})
