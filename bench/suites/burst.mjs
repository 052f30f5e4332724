import { get } from 'node:http'
import { figure, forked, median, table } from '../measure.mjs'

export const title = '100,000 jobs due at one moment, beside an HTTP server'

export async function run({ rounds, quick }) {
  const n = quick ? 5000 : 100_000
  const figures = []
  for (let round = 0; round < rounds; round++) figures.push(await once(n))
  const middle = (key) => median(figures.map((one) => one[key]))
  return table(
    ['', ''],
    [
      ['all had run after', `${figure(middle('took'), 0)} ms`],
      ['longest time the loop was blocked', `${figure(middle('longest'))} ms`],
      ['HTTP p99 before', `${figure(middle('idle'))} ms`],
      ['HTTP p99 meanwhile', `${figure(middle('busy'))} ms`],
    ],
  )
}

async function once(n) {
  const child = forked('burst', [n])
  const { port, due } = await new Promise((resolve) => child.once('message', resolve))
  const finished = new Promise((resolve) => child.once('message', resolve))
  const [idle, busy] = [[], []]
  /** @type {Promise<unknown>[]} */
  const pending = []
  let done = false
  void finished.then(() => {
    done = true
  })
  while (Date.now() < due - 2000) await new Promise((resolve) => setTimeout(resolve, 10))
  while (!done) {
    const begun = performance.now()
    const into = Date.now() < due ? idle : busy
    pending.push(
      new Promise((resolve) => {
        get({ port, host: '127.0.0.1' }, (res) =>
          res.resume().on('end', () => resolve(into.push(performance.now() - begun))),
        )
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await Promise.all(pending)
  const { took, longest } = await finished
  child.kill('SIGKILL')
  const p99 = (values) => values.sort((a, b) => a - b)[Math.floor(values.length * 0.99)]
  return { took, longest, idle: p99(idle), busy: p99(busy) }
}
