import { get } from 'node:http'
import { figure, forked, median, table } from '../measure.mjs'

export const title = '100,000 jobs due at one moment, beside an HTTP server'

const BURSTS = 6

export async function run({ rounds, quick }) {
  const n = quick ? 5000 : 100_000
  const measured = []
  for (let round = 0; round < rounds; round++) measured.push(await once(n))
  const row = (title, key) => [
    title,
    ...['first', 'later'].map((when) => `${figure(median(measured.map((one) => one[when][key])))} ms`),
  ]
  return table(
    ['', 'the first time', `then, ${BURSTS - 1} times`],
    [
      row('all had run after', 'took'),
      row('longest time the loop was blocked', 'longest'),
      row('HTTP p99 in between', 'idle'),
      row('HTTP p99 meanwhile', 'busy'),
    ],
  )
}

async function once(n) {
  const child = forked('burst', [n, BURSTS])
  const { port } = await new Promise((resolve) => child.once('message', resolve))
  const bursts = []
  child.on('message', (burst) => bursts.push(burst))
  const requests = []
  /** @type {Promise<unknown>[]} */
  const pending = []
  let last = Number.POSITIVE_INFINITY
  // A second longer than the bursts, for the time in between.
  while (Date.now() < last) {
    const [at, begun] = [Date.now(), performance.now()]
    pending.push(
      new Promise((resolve) => {
        get({ port, host: '127.0.0.1' }, (res) =>
          res.resume().on('end', () => resolve(requests.push({ at, took: performance.now() - begun }))),
        )
      }),
    )
    if (bursts.length === BURSTS && last === Number.POSITIVE_INFINITY) last = Date.now() + 1500
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await Promise.all(pending)
  child.kill('SIGKILL')
  return { first: figures(bursts.slice(0, 1), requests), later: figures(bursts.slice(1), requests) }
}

/** What some bursts cost; beside each, the second from half a second after its end. */
function figures(bursts, requests) {
  const p99 = (within) => {
    const took = requests
      .filter(({ at }) => bursts.some((burst) => within(at, burst)))
      .map(({ took }) => took)
    return took.sort((a, b) => a - b)[Math.floor(took.length * 0.99)]
  }
  return {
    took: median(bursts.map(({ due, ended }) => ended - due)),
    longest: Math.max(...bursts.map(({ longest }) => longest)),
    idle: p99((at, { ended }) => at >= ended + 500 && at < ended + 1500),
    busy: p99((at, { due, ended }) => at >= due && at < ended),
  }
}
