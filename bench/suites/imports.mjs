import { spawnSync } from 'node:child_process'
import { figure, median, table } from '../measure.mjs'

export const title = 'Import'

const timed = (names) => `const begun = performance.now()
${names.map((name) => `await import(${JSON.stringify(name)})`).join('\n')}
console.log(performance.now() - begun)`

/** Milliseconds to import modules in a process that has loaded others before. */
function load(names, before = []) {
  const script = `${before.map((name) => `await import(${JSON.stringify(name)})`).join('\n')}\n${timed(names)}`
  const cwd = new URL('..', import.meta.url)
  return Number(
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', cwd }).stdout,
  )
}

export async function run({ rounds, quick }) {
  const cases = [
    ['@escapement/core', [], ['@escapement/core']],
    ['@escapement/core over cron-parser', ['cron-parser'], ['@escapement/core']],
    ['@escapement/express over express', ['express'], ['@escapement/express']],
    ['@escapement/koa over koa', ['koa'], ['@escapement/koa']],
    ['cron-parser', [], ['cron-parser']],
    ['croner', [], ['croner']],
    ['node-cron', [], ['node-cron']],
    ['cron', [], ['cron']],
    ['bullmq', [], ['bullmq']],
  ]
  const figures = cases.map(() => [])
  for (let round = 0; round < (quick ? 1 : rounds * 5); round++) {
    for (const [i, [, before, names]] of cases.entries()) figures[i].push(load(names, before))
  }
  return table(
    ['', 'median'],
    cases.map(([label], i) => [label, `${figure(median(figures[i]), 1)} ms`]),
  )
}
