import { figure, interleave, measure, medians, table } from '../measure.mjs'
import { subjects } from '../subjects.mjs'

export const title = '10,000 no-op jobs once a second'

export async function run({ rounds, quick }) {
  const [n, seconds] = quick ? [1000, 3] : [10_000, 8]
  const results = await interleave(Object.keys(subjects), rounds, (name) =>
    measure('ticks', [name, n, seconds]),
  )
  const floor = medians(results.get('floor'))
  const rows = [...results].map(([name, measured]) => {
    const { cpu, p99, missed, doubled, early, error } = medians(measured)
    if (error) return [name, error, '', '', '', '', '']
    return [
      name,
      `${figure(cpu)} %`,
      `${figure(cpu / floor.cpu)}×`,
      `${figure(p99, 0)} ms`,
      figure(missed),
      figure(doubled),
      figure(early),
    ]
  })
  return table(['', 'CPU of a core', 'of the floor', 'late, p99', 'missed', 'doubled', 'early'], rows)
}
