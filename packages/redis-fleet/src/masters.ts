import { EscapementError } from '@escapement/core'
import { describe } from '@escapement/core/plugin'
import type { Script } from './script.ts'

/** One Redis. All keys of a script have the hash tag of its own key. */
export interface Master {
  ask(script: Script, args: readonly (string | number)[]): Promise<unknown>
}

/** How long an answer is waited for, in ms. */
const ANSWER_MS = 2_000

/** An answer, and the place of the master that gave it. */
export interface Answer {
  readonly master: number
  readonly reply: unknown[]
}

/**
 * Asks all masters. Resolves to the answers when they are those of a majority.
 *
 * @throws ERR_ESCAPEMENT_UNAVAILABLE
 */
export async function askMajority(
  masters: readonly Master[],
  script: Script,
  args: readonly (string | number)[],
): Promise<Answer[]> {
  const quorum = Math.floor(masters.length / 2) + 1
  const answers: Answer[] = []
  const errors: unknown[] = []
  await Promise.all(
    masters.map(async (each, master) => {
      try {
        const reply = await bounded(each.ask(script, args))
        answers.push({ master, reply: Array.isArray(reply) ? reply : [reply] })
      } catch (error) {
        errors.push(error)
      }
    }),
  )
  if (answers.length >= quorum && answers.length > 0) return answers.toSorted((a, b) => a.master - b.master)
  const why = errors.length > 0 ? describe(errors[0]).message : 'no connection'
  const message = `${answers.length} of ${masters.length} Redis answer: ${why}`
  throw new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', message, { cause: errors[0] })
}

async function bounded<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis has not answered for ${ANSWER_MS / 1000} s`)), ANSWER_MS)
    timer.unref()
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
