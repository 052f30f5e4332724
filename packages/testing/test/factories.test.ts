/** The rule of every factory: an option that does not exist or cannot be used is a coded error where it is given. */
import { EscapementError } from '@escapement/core'
import { worker } from '@escapement/worker'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { factories, job } from './factories.ts'

const refusal = (make: () => unknown) => {
  try {
    make()
  } catch (error) {
    return error
  }
}

describe.each(factories)('$name', ({ make, good, bad, foreign }) => {
  const whole = Object.fromEntries(Object.entries(good).filter(([, value]) => value !== undefined))

  test('takes what it knows', () => {
    expect(refusal(() => make(whole))).toBeUndefined()
  })

  test.each([...bad])('refuses %o', (options) => {
    const given = 'transport' in options ? { ...whole, url: undefined, ...options } : { ...whole, ...options }
    const thrown = refusal(() => make(given))
    expect(thrown).toBeInstanceOf(EscapementError)
    expect(String(thrown)).not.toContain('S3CRET')
  })

  test('an option that nobody knows is refused with the names that there are', () => {
    expect(refusal(() => make({ ...whole, zzzzzzzzzz: 1 }))).toMatchObject({
      code: 'ERR_ESCAPEMENT_OPTION',
      message: expect.stringMatching(/there is no .* "zzzzzzzzzz": expected one of \w+/),
    })
  })

  test.runIf(Object.keys(foreign).length > 0).each(Object.entries(foreign))(
    '%s is called %s',
    (name, meant) => {
      expect(refusal(() => make({ [name]: 'x' }))).toMatchObject({
        code: 'ERR_ESCAPEMENT_OPTION',
        message: expect.stringMatching(new RegExp(`"${name}": did you mean ${meant}\\?`)),
      })
    },
  )

  test('any unknown option is refused with a hint at the one that was meant', () => {
    for (const key of Object.keys(whole)) {
      const misspelt = { ...whole, [`${key}x`]: whole[key] }
      expect(refusal(() => make(misspelt))).toMatchObject({
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
        const thrown = refusal(() => make(options))
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

test.each(['runOnInit', 'runOnStart', 'immediate'])(
  'a job has no option %s: the message says how to run it',
  (name) => {
    expect(refusal(() => job({ [name]: true } as never))).toMatchObject({
      code: 'ERR_ESCAPEMENT_OPTION',
      message: `there is no job option "${name}": ask for a run when the scheduler has started: scheduler.run(name)`,
    })
  },
)
