import { figure, measure, median, table } from '../measure.mjs'

export const title = '10,000 yearly jobs, nothing due'

export async function run({ rounds, quick }) {
  const measured = []
  for (let round = 0; round < rounds; round++) {
    measured.push(await measure('idle', ['escapement', 10_000, quick ? 3 : 30], { timeout: 60_000 }))
  }
  return table(
    ['', 'CPU of a core'],
    [['escapement', `${figure(median(measured.map(({ cpu }) => cpu)), 3)} %`]],
  )
}
