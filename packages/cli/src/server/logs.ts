import { setTimeout as wait } from 'node:timers/promises'
import { printable } from '@escapement/core/plugin'
import { ask, ServerError, segmentOf } from './client.ts'
import { instant, span } from './table.ts'
import type { Command, LineRow, PageOf, RunRow, Work } from './types.ts'

/** How often a run is looked at, in ms. */
const LOOK_MS = 1_000
/** The most looks in a row during which a server may be away, as when it is replaced. */
const MAX_AWAY = 10

/** The lines that a run has written. */
export const showLogs: Command = async (work) => {
  if (work.given.follow) return await followRun(work)
  const { items } = await linesAfter(work, 0)
  if (work.given.json) work.output.out(JSON.stringify(items, undefined, 2))
  else for (const line of items) show(work, line)
  return 0
}

/** Shows the lines of a run as they come, until it has ended. Exit code 0: it succeeded. */
export async function followRun(work: Work): Promise<number> {
  let known = 0
  for (;;) {
    // The state is read before the lines: those of a run that has ended are all there.
    const run = await patiently(() => ask<RunRow>(work.server, pathOf(work)))
    const { items, next } = await patiently(() => linesAfter(work, known))
    for (const line of items) show(work, line)
    known = Number(next ?? known)
    if (run.outcome !== undefined) return tellEnd(work, run)
    await wait(LOOK_MS)
  }
}

function tellEnd({ output, about }: Work, { outcome, duration, error, reason }: RunRow): number {
  const took = duration === undefined ? '' : ` after ${span(duration)}`
  const why = error?.message ?? reason
  output.error(`escapement: run ${printable(about)}: ${outcome}${took}${why ? `: ${printable(why)}` : ''}`)
  return outcome === 'succeeded' ? 0 : 1
}

function linesAfter({ server, about }: Work, known: number): Promise<PageOf<LineRow>> {
  const query = { after: known > 0 ? String(known) : undefined }
  return ask(server, `${pathOf({ about })}/logs`, { query })
}

function pathOf({ about }: Pick<Work, 'about'>): string {
  return `runs/${segmentOf(about)}`
}

function show({ given, output }: Work, line: LineRow): void {
  if (given.json) {
    // One line of JSON each, as they come.
    output.out(JSON.stringify(line))
    return
  }
  const fields = line.fields === undefined ? '' : ` ${JSON.stringify(line.fields)}`
  output.out(printable(`${instant(line.at)} ${line.level.padEnd(5)} ${line.message}${fields}`))
}

/** Asks again while the server is away for a short time. */
async function patiently<T>(look: () => Promise<T>): Promise<T> {
  for (let away = 0; ; away++) {
    try {
      return await look()
    } catch (error) {
      if (!(error instanceof ServerError) || error.exit !== 3 || away >= MAX_AWAY) throw error
      await wait(LOOK_MS)
    }
  }
}
