import { figure, measure, median, table } from '../measure.mjs'
import { measureFleet } from './fleet.mjs'

export const title = 'Growth'

export async function run({ rounds, quick, full }) {
  const jobs = []
  for (const n of quick ? [10, 100] : [10, 100, 1000, 10_000, 100_000]) {
    // Where little else is done, the one time that V8 gives memory back must be over.
    const settle = n <= 1000 && !quick ? 30 : 3
    const measured = []
    for (let round = 0; round < rounds; round++)
      measured.push(await measure('ticks', ['escapement', n, quick ? 3 : 8, settle]))
    const cpu = median(measured.map((one) => one.cpu))
    jobs.push({ n, cpu, tick: (cpu * 1e4) / n })
  }
  const fleet = []
  for (const instances of quick ? [1, 2] : [1, 2, 5, 10, 20]) {
    const { cpu, p99 } = await measureFleet({
      kind: 'escapement',
      instances,
      jobs: 200,
      seconds: quick ? 3 : 8,
    })
    fleet.push({ instances, cpu, p99 })
  }
  const sizes = quick ? [1000, 10_000] : [10_000, 100_000, 1_000_000, ...(full ? [10_000_000] : [])]
  const history = await measure('history', sizes, { timeout: 1_200_000 })
  if (history.error) throw new Error(history.error)
  return [
    table(
      ['jobs at 1 Hz', 'CPU of a core', 'CPU a tick'],
      jobs.map(({ n, cpu, tick }) => [figure(n), `${figure(cpu)} %`, `${figure(tick, 1)} µs`]),
    ),
    `A tick: ${slope(jobs.map(({ n, tick }) => [n, tick]))}. Few jobs share what it costs to wake up.`,
    table(
      ['instances with 200 one-second jobs', 'Redis CPU a tick', 'late, p99'],
      fleet.map(({ instances, cpu, p99 }) => [
        figure(instances),
        `${figure(cpu, 1)} µs`,
        `${figure(p99, 0)} ms`,
      ]),
    ),
    `Redis CPU a tick: ${slope(fleet.map(({ instances, cpu }) => [instances, cpu]))}.`,
    table(
      ['runs in sqlite', 'a record', 'a page of one job', 'a page of all', 'file'],
      history.map(({ size, record, job, all, mb }) => [
        figure(size),
        `${figure(record, 1)} µs`,
        `${figure(job)} ms`,
        `${figure(all)} ms`,
        `${figure(mb, 0)} MB`,
      ]),
    ),
    `A record: ${slope(history.map(({ size, record }) => [size, record]))}; a page of one job: ${slope(history.map(({ size, job }) => [size, job]))}.`,
  ].join('\n\n')
}

/** The exponent b of the best fit of a·N^b: 0 is the same for any N, 1 as many times as much. */
function slope(points) {
  const logs = points.map(([n, cost]) => [Math.log(n), Math.log(cost)])
  const mean = (k) => logs.reduce((sum, point) => sum + point[k], 0) / logs.length
  const [x, y] = [mean(0), mean(1)]
  const sum = (of) => logs.reduce((total, [a, b]) => total + of(a - x, b - y), 0)
  return `N to the power of ${figure(sum((a, b) => a * b) / sum((a) => a * a))}`
}
