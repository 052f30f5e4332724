import { fileURLToPath } from 'node:url'
import { figure, measure, table } from '../measure.mjs'
import { subjects } from '../subjects.mjs'

export const title = 'Late, blocked, set back: a job every second, and what ran after a fault'

const FAULTS = [
  ['loop blocked over one tick', 'block', 1200],
  ['over five ticks', 'block', 5200],
  ['clock set forward 40 s', 'step', 40_000],
  ['back 40 s', 'step', -40_000],
  ['forward 1 h', 'step', 3_600_000],
  ['back 1 h', 'step', -3_600_000],
]

export async function run() {
  const shim = fileURLToPath(new URL('../child/clock.mjs', import.meta.url))
  const names = Object.keys(subjects).filter((name) => name !== 'floor')
  const rows = []
  for (const [label, fault, value] of FAULTS) {
    // They wait most of the time: all at once.
    const results = await Promise.all(
      names.map((name) =>
        measure('stalls', [name, fault, value], { nodeArgs: ['--import', shim], timeout: 100_000 }),
      ),
    )
    results.forEach(({ runs, silence, burst, twice, early, error }, i) => {
      rows.push(
        error
          ? [label, names[i], error]
          : [
              label,
              names[i],
              figure(runs),
              `${figure(silence, 0)} s`,
              figure(burst),
              figure(twice),
              figure(early),
            ],
      )
    })
  }
  return [
    'Watched for 6 s after a block, 75 s after a step. *Burst*: most runs within half a second. *Twice*: seconds of the',
    'wall clock met again without being told apart.',
    '',
    table(['fault', '', 'runs after it', 'longest silence', 'burst', 'twice', 'early'], rows),
  ].join('\n')
}
