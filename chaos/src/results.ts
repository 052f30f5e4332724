import { cpus } from 'node:os'
import type { Result } from './scenario.ts'

/** A result as a line. */
export function lineOf({ scenario, report, failures, cpu }: Result): string {
  const { late, machine, recovery } = report
  const told = [
    `${report.ran}/${report.ticks} ran`,
    ...Object.entries(report.named).map(([reason, n]) => `${n} ${reason}`),
    ...(scenario.shows ?? []).map((count) => `${report[count]} ${count}`),
  ]
  return [
    `${scenario.name}: ${failures.length > 0 ? `FAILED: ${failures.join(', ')}` : 'ok'}`,
    told.join(', '),
    `late ${late.p50}/${late.p99}/${late.max} ms (machine ${machine.p50}/${machine.p99}${machine.busy ? ', busy' : ''})`,
    ...(scenario.measures ? [`${Math.round(cpu)} µs of Redis a tick`] : []),
    ...(recovery.length > 0 ? [`taken up after ${recovery.join(', ')} ms`] : []),
  ].join(' · ')
}

/** The results as a page. */
export function resultsOf(
  results: readonly Result[],
  { seed, redis }: { seed: number; redis: string },
): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}`
  const ours = results.filter(({ scenario }) => !scenario.name.startsWith('naive'))
  const naive = results.filter(({ scenario }) => scenario.name.startsWith('naive'))
  const failed = results.filter(({ failures }) => failures.length > 0)
  const verdict =
    failed.length === 0
      ? `All ${results.length} scenarios passed.`
      : `${failed.length} of ${results.length} scenarios failed: ${failed.map(({ scenario, failures }) => `${scenario.name} (${failures.join(', ')})`).join('; ')}.`
  return `# Chaos results

Written by \`npm run chaos\`. Seed ${seed}, Redis ${redis}, Node ${process.version}, ${machine}.
Lease 3 s, scan 1 s. All processes share these processors, so the times are upper bounds.

${verdict}

- **dup**: a tick started twice (with the same start number). **over**: work after another run of the job began.
- **silent**: a due tick without a run and without a word, or a run of which nothing more was heard.
- **fence**: a fence that did not rise. **crash**: a process that ended, or an error that nobody caught.
- **named**: ticks without a run, by the reason that was reported. Variants in *italics* are here to show failures.
- **late**: start after the instant, p50 / p99 / max in ms; in brackets how late timers of an idle process were
  meanwhile, p50 / p99, and *busy* if that is more than 5 ms, or
  if more processes wanted to run than there are processors: then start times are not judged. **taken up**: from death, stall or cut to the next start or
  to \`tick-lost\`, in ms. **µs**: Redis processor time per tick, all nodes and instances. **MB**: growth of a process.

${table(ours)}

## What is often built instead

The same ticks, the same checker. \`lock-only\`: \`SET NX PX\`, deleted when the job ends. \`lock-at-least\`: kept for at
least 0.9 s. \`watermark\`: one key per job with the newest tick.

${table(naive)}
`
}

function table(results: readonly Result[]): string {
  const rows = results.map(({ scenario, report, failures, cpu }) => {
    const { duplicates, overlaps, silent, regressions, crashes, late, named, recovery, growth, machine } =
      report
    const name = scenario.shows ? `*${scenario.name}*` : scenario.name
    const reasons = Object.entries(named).map(([reason, n]) => `${n} ${reason}`)
    const cells = [
      `${name}${failures.length > 0 ? ' **failed**' : ''}: ${scenario.about}`,
      `${report.ran}/${report.ticks}`,
      duplicates,
      overlaps,
      silent,
      regressions,
      crashes,
      reasons.join(', ') || '–',
      `${late.p50} / ${late.p99} / ${late.max} (${machine.p50} / ${machine.p99}${machine.busy ? ', busy' : ''})`,
      recovery.join(', ') || '–',
      scenario.measures ? Math.round(cpu) : '–',
      growth,
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    '| scenario | ran | dup | over | silent | fence | crash | named | late | taken up | µs | MB |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
