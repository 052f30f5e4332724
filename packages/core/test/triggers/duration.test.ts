import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../src/util/duration.ts'

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['1w', 604_800_000],
    ['25h44m24s', 92_664_000],
    [1500, 1500],
    [0, 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text, 'timeout')).toBe(ms))

  it.each([
    ['', undefined],
    ['10', '10s'],
    ['10 minutes', '10m'],
    ['10 min', '10m'],
    ['1 hour 30 minutes', '1h30m'],
    ['2 days', '2d'],
    ['3 weeks', '3w'],
    ['10M', '10m'],
    ['m10', undefined],
    ['-5m', undefined],
    ['1e3s', undefined],
    ['soon', undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [undefined, undefined],
    [{}, undefined],
  ])('refuses %o, with an idea: %s', (bad, idea) => {
    const refusal = (() => {
      try {
        return parseDuration(bad as never, 'timeout')
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toMatchObject({
      code: 'ERR_ESCAPEMENT_DURATION',
      message: expect.stringMatching(/^timeout: expected/),
    })
    const message = (refusal as Error).message
    expect(message.includes('did you mean')).toBe(idea !== undefined)
    expect(message).toContain(idea ?? 'got')
  })

  it('keeps to its range', () => {
    expect(() => parseDuration('5s', 'grace', { max: 1000 })).toThrow('grace: must be at most 1s, got "5s"')
    expect(() => parseDuration(0, 'every', { min: 1 })).toThrow('every: must be at least 1ms, got 0')
  })

  it('is undone by formatDuration', () => {
    for (const ms of [1, 999, 1000, 90_000, 5_400_000, 93_784_005])
      expect(parseDuration(formatDuration(ms), 'x')).toBe(ms)
    expect(formatDuration(0)).toBe('0ms')
  })
})
