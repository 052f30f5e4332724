// next() walking forward (t = next(t)), parsing, import: ours and the peers' in one run, as ratios.
// node bench/triggers/next.mjs   (after `npm run build`)
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { cron } from '@escapement/core'
import { CronTime } from 'cron'
import { CronExpressionParser } from 'cron-parser'
import { Cron } from 'croner'
import { CronosExpression } from 'cronosjs'
import nodeCron from 'node-cron'

const START = new Date('2026-01-01T00:00:00Z')
const BUDGET = 250 // ms for each figure

const peers = {
  escapement: (expression, timezone) => {
    const trigger = cron(expression, { timezone })
    return (after) => trigger.next(after)
  },
  croner: (expression, timezone) => {
    const job = new Cron(expression, { timezone, paused: true })
    return (after) => job.nextRun(after)
  },
  'cron-parser': (expression, tz) => {
    const parsed = CronExpressionParser.parse(expression, { tz, currentDate: START })
    return () => parsed.next().toDate()
  },
  // It only tells the runs after now: fifty at a time.
  'node-cron': (expression, timezone) => {
    const task = nodeCron.createTask(expression, () => {}, { timezone })
    let runs = []
    return () => {
      if (runs.length === 0) runs = task.getNextRuns(50).reverse()
      return runs.pop()
    }
  },
  cronosjs: (expression, timezone) => {
    const parsed = CronosExpression.parse(expression, { timezone })
    return (after) => parsed.nextDate(after)
  },
  cron: (expression, timezone) => {
    const time = new CronTime(expression, timezone)
    return (after) => time.getNextDateFrom(after, timezone).toJSDate()
  },
}

/** The best of a few rounds, in calls a second. `run(n)` makes n calls. */
function rate(run) {
  let best = 0
  for (let round = 0; round < 5; round++) {
    let calls = 0
    const start = performance.now()
    let elapsed = 0
    // The clock is asked after every batch; a batch of a fast one is larger.
    for (let batch = 1; elapsed < BUDGET / 5; batch = Math.min(batch * 2, 4096)) {
      run(batch)
      calls += batch
      elapsed = performance.now() - start
    }
    best = Math.max(best, (calls / elapsed) * 1000)
  }
  return best
}

function walkRate(make, expression, timezone) {
  try {
    const next = make(expression, timezone)
    let at = START
    // Its own code for each figure, so that the engine does not mix what it learns about one peer with another.
    // Starts over in 2096, so that all measure the same years.
    // oxlint-disable-next-line typescript/no-implied-eval
    const walk = new Function(
      'next, at, start, n',
      'for (let i = 0; i < n; i++) { at = next(at); if (!at || at.getTime() > 4e12) at = start } return at',
    )
    return rate((n) => {
      at = walk(next, at, START, n)
    })
  } catch {
    return undefined
  }
}

function show(value) {
  if (value === undefined) return 'refused'
  return value >= 1e6
    ? `${(value / 1e6).toFixed(2)} M/s`
    : value >= 1e3
      ? `${(value / 1e3).toFixed(1)} k/s`
      : `${value.toFixed(0)} /s`
}

function table(title, rows) {
  console.log(`\n${title}\n`)
  console.log(
    `| | ${Object.keys(peers).join(' | ')} |\n|---|${Object.keys(peers)
      .map(() => '---')
      .join('|')}|`,
  )
  for (const [name, of] of rows) {
    const rates = Object.values(peers).map(of)
    const cells = rates.map((value, i) => {
      return i === 0 || value === undefined
        ? show(value)
        : `${show(value)} (1/${(rates[0] / value).toFixed(0)})`
    })
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
}

const walks = []
for (const timezone of ['UTC', 'America/New_York']) {
  for (const expression of [
    '* * * * *',
    '*/5 * * * * *',
    '0 9-17 * * MON-FRI',
    '0 0 29 2 *',
    '0 0 L * *',
    '0 0 * * 5#3',
  ]) {
    walks.push([`\`${expression}\` ${timezone}`, (make) => walkRate(make, expression, timezone)])
  }
}
console.log(`Node ${process.version}, ${process.platform} ${process.arch}`)
table('next(), calls a second (in brackets: part of ours)', walks)

let turn = 0
const distinct = () => `${turn % 60} ${Math.floor(turn++ / 60) % 24} * * ${turn % 7}`
const parses = {
  '`*/5 * * * *`, again and again': () => '*/5 * * * *',
  '10,080 distinct expressions, in turn': distinct,
}
table(
  'Parsing, expressions a second',
  Object.entries(parses).map(([name, expression]) => [
    name,
    (make) => {
      try {
        return rate((n) => {
          for (let i = 0; i < n; i++) make(expression(), 'UTC')
        })
      } catch {
        return undefined
      }
    },
  ]),
)

const first = performance.now()
for (let i = 0; i < 3600; i++) cron(`${i % 60} ${Math.floor(i / 60) % 60} * * * MON`, { timezone: 'UTC' })
console.log(`\n3,600 expressions never seen before: ${(performance.now() - first).toFixed(0)} ms`)

const impossible = ['0 0 30 2 *', '0 0 31 4,6,9,11 *', '0 0 0 29 2 * 2021-2023']
const refused = performance.now()
for (let i = 0; i < 300; i++) {
  try {
    cron(impossible[i % 3])
  } catch {}
}
console.log(`an impossible expression: ${((performance.now() - refused) / 300).toFixed(3)} ms`)

// A fresh process each; the median of nine.
function importTime(name) {
  const url = name.startsWith('@escapement')
    ? import.meta.resolve(name)
    : createRequire(import.meta.url).resolve(name)
  const code = `const s = performance.now(); await import(${JSON.stringify(url)}); console.log(performance.now() - s)`
  const times = Array.from({ length: 9 }, () => {
    return Number(
      spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).stdout,
    )
  })
  return times.sort((a, b) => a - b)[4]
}
console.log(
  '\nImport, ms:',
  ['cron-parser', '@escapement/core', 'croner', 'node-cron', 'cronosjs', 'cron']
    .map((name) => `${name} ${importTime(name).toFixed(1)}`)
    .join(', '),
)
