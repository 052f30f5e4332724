import { figure, interleave, measure, median, table } from '../measure.mjs'

export const title = 'Import'

export async function run({ rounds, quick }) {
  const cases = new Map([
    ['@escapement/core', ['@escapement/core']],
    ['@escapement/core over cron-parser', ['@escapement/core', 'cron-parser']],
    ['@escapement/express over express', ['@escapement/express', 'express']],
    ['@escapement/koa over koa', ['@escapement/koa', 'koa']],
    ['cron-parser', ['cron-parser']],
    ['croner', ['croner']],
    ['node-cron', ['node-cron']],
    ['cron', ['cron']],
    ['bullmq', ['bullmq']],
  ])
  const results = await interleave([...cases.keys()], quick ? 1 : rounds * 5, (label) =>
    measure('import', cases.get(label)),
  )
  return table(
    ['', 'median'],
    [...results].map(([label, times]) => [label, `${figure(median(times), 1)} ms`]),
  )
}
