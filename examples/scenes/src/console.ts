import { styleText } from 'node:util'
import type { Run, Scheduler } from '@escapement/core'

type Color = 'green' | 'red' | 'yellow' | 'gray' | 'cyan'
const COLORS: Record<string, Color> = {
  succeeded: 'green',
  failed: 'red',
  'timed-out': 'red',
  'waiting-retry': 'yellow',
}

const paint = (color: Color, text: string) => (process.stdout.isTTY ? styleText(color, text) : text)
const time = (date: Date | undefined) => date?.toLocaleTimeString('en-GB') ?? '-'

/**
 * Prints a line for each run: when, what, outcome, how long, what it made, its trace, and what comes next. Under
 * one that failed there is the link to its trace, if there is one.
 */
export function showRuns(scheduler: Scheduler): void {
  const line = (run: Run, what: string, detail: string) => {
    const parts = [
      time(new Date()),
      run.job.name.padEnd(12),
      paint(COLORS[what] ?? 'gray', what.padEnd(13)),
      `${Math.round(run.duration)} ms`.padStart(8),
      paint('gray', `next ${time(run.job.next)}`),
      paint('gray', `trace ${run.traceId ?? '-'}`.padEnd(38)),
      detail,
    ]
    console.log(parts.join('  ').trimEnd())
  }
  scheduler.on('waiting-retry', (run, { error, delay }) =>
    line(run, 'waiting-retry', `${message(error)}; again in ${Math.round(delay)} ms`),
  )
  scheduler.on('settled', (run) => {
    if (run.reason === 'claimed-elsewhere') return line(run, 'skipped', 'another instance runs it')
    const attempts = run.attempt > 1 ? ` after ${run.attempt} attempts` : ''
    const detail = run.outcome === 'succeeded' ? summary(run.result) : (run.reason ?? message(run.error))
    line(run, run.outcome ?? '', `${detail}${attempts}`)
    if (COLORS[run.outcome ?? ''] === 'red' && run.traceUrl) console.log(`          | ${run.traceUrl}`)
  })
}

/** Prints a mail in short. */
export function showMail({ subject, to, text }: { subject: string; to: string; text: string }): void {
  console.log(paint('cyan', `${time(new Date())}  mail to ${to}: ${subject}`))
  for (const row of text.split('\n').slice(0, 20))
    if (row.trim()) console.log(paint('cyan', `          | ${row}`))
}

function summary(result: unknown): string {
  if (typeof result !== 'object' || result === null) return String(result ?? '')
  return Object.entries(result)
    .filter(([, value]) => typeof value !== 'object')
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error ?? '')
}
