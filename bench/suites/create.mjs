import { figure, interleave, measure, medians, table } from '../measure.mjs'
import { subjects } from '../subjects.mjs'

export const title = '100,000 jobs created'

export async function run({ rounds, quick }) {
  const n = quick ? 1000 : 100_000
  const rows = []
  const names = Object.keys(subjects).filter((name) => !['floor', 'toad-scheduler'].includes(name))
  for (const distinct of [1, 3600]) {
    const once = (name) =>
      measure('create', [name, n, distinct], { nodeArgs: ['--expose-gc'], timeout: 20_000 })
    for (const [name, measured] of await interleave(names, rounds, once)) {
      const { ms, bytes, error } = medians(measured)
      const what = distinct === 1 ? '`*/5 * * * *`' : '3,600 expressions'
      rows.push(
        error ? [name, what, error, ''] : [name, what, `${figure(ms, 0)} ms`, `${figure(bytes, 0)} B`],
      )
    }
  }
  return table(['', 'schedule', 'created in', 'heap a job'], rows)
}
