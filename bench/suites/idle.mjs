import { figure, measure, median, table } from '../measure.mjs'

export const title = '10,000 yearly jobs, nothing due'

export async function run({ rounds, quick }) {
  // Once, up to 25 s after the last job was made, V8 collects what that has left behind: 80 ms, not again.
  const [settle, seconds] = quick ? [2, 3] : [30, 30]
  const measured = []
  for (let round = 0; round < rounds; round++) {
    measured.push(await measure('idle', ['escapement', 10_000, settle, seconds]))
  }
  return table(
    ['', 'CPU of a core'],
    [['escapement', `${figure(median(measured.map(({ cpu }) => cpu)), 3)} %`]],
  )
}
