// One job every second, and something that goes wrong after five: tells what ran afterwards.
import { subjects } from '../subjects.mjs'

const [name, fault, value] = [process.argv[2], process.argv[3], Number(process.argv[4])]
const watch = fault === 'block' ? 6000 : 75_000
const starts = []
const nominal = []
const handler = () => async (run) => {
  starts.push({ mono: performance.now(), wall: Date.now() })
  // Only ours tells which tick it is; of the others a second of the clock.
  nominal.push(run?.tick?.id ?? Math.round(Date.now() / 1000))
}
await subjects[name](1, () => '* * * * * *', handler)
await new Promise((resolve) => setTimeout(resolve, 5500 - (Date.now() % 1000)))
const at = performance.now()
if (fault === 'block') while (performance.now() < at + value);
else globalThis.clockOffset += value
await new Promise((resolve) => setTimeout(resolve, watch))
const after = starts.filter(({ mono }) => mono > at)
const gaps = after.map(({ mono }, i) => mono - (i === 0 ? at : after[i - 1].mono))
gaps.push(performance.now() - (after.at(-1)?.mono ?? at))
const busiest = Math.max(
  0,
  ...after.map(({ mono }) => after.filter((other) => other.mono >= mono && other.mono < mono + 500).length),
)
console.log(
  JSON.stringify({
    runs: after.length,
    silence: Math.max(...gaps) / 1000,
    burst: busiest,
    twice: nominal.length - new Set(nominal).size,
    early: after.filter(({ wall }) => wall % 1000 > 900).length,
  }),
)
process.exit(0)
