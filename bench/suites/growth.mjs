import { figure, measure, median, table } from '../measure.mjs'
import { measureFleet } from './fleet.mjs'

export const title = 'Growth'

export async function run({ rounds, quick, full }) {
  const jobs = []
  for (const n of quick ? [10, 100] : [10, 100, 1000, 10_000, 30_000]) {
    const measured = []
    for (let round = 0; round < rounds; round++)
      measured.push(await measure('ticks', ['escapement', n, quick ? 3 : 8]))
    const cpu = median(measured.map((one) => one.cpu))
    jobs.push([figure(n), `${figure(cpu)} %`, `${figure((cpu * 1e4) / n, 1)} µs`])
  }
  const fleet = []
  for (const instances of quick ? [1, 2] : [1, 2, 5, 10, 20]) {
    const { cpu, p99 } = await measureFleet({
      kind: 'escapement',
      instances,
      jobs: 200,
      seconds: quick ? 3 : 8,
    })
    fleet.push([figure(instances), `${figure(cpu, 1)} µs`, `${figure(p99, 0)} ms`])
  }
  const sizes = quick ? [1000, 10_000] : [10_000, 100_000, 1_000_000, ...(full ? [10_000_000] : [])]
  const history = await measure('history', sizes, { timeout: 1_200_000 })
  const rows = history.error
    ? [[history.error]]
    : history.map(({ size, record, job, all, mb }) => [
        figure(size),
        `${figure(record, 1)} µs`,
        `${figure(job)} ms`,
        `${figure(all)} ms`,
        `${figure(mb, 0)} MB`,
      ])
  return [
    table(['jobs at 1 Hz', 'CPU of a core', 'CPU a tick'], jobs),
    table(['instances with 200 one-second jobs', 'Redis CPU a tick', 'late, p99'], fleet),
    table(['runs in sqlite', 'a record', 'a page of one job', 'a page of all', 'file'], rows),
  ].join('\n\n')
}
