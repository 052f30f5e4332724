import { figure, measure, medians, table } from '../measure.mjs'

export const title = 'What a run costs, and what it leaves behind'

export async function run({ rounds, quick }) {
  const measured = []
  for (let round = 0; round < rounds; round++) measured.push(await measure('per-run', []))
  const cost = medians(measured)
  if (cost.error) return cost.error
  const rows = Object.entries(cost).map(([name, us]) => [
    name === 'direct' ? 'a bare `await handler()`' : name,
    `${figure(us)} µs`,
    name === 'direct' ? '' : `+${figure(us - cost.direct)} µs`,
  ])
  const { heap, error } = await measure('heap', [quick ? 1e6 : 10e6], {
    nodeArgs: ['--expose-gc'],
    timeout: 180_000,
  })
  const after = error ?? `${figure(heap.at(0), 1)} MB before, ${figure(heap.at(-1), 1)} MB after`
  return `${table(['', 'CPU', 'over the bare call'], rows)}\n\nHeap over ${quick ? 1 : 10} million runs: ${after}.`
}
