// Runs n jobs once a second for so many seconds, and tells what that cost and how late they were.
import { subjects } from '../subjects.mjs'

const name = process.argv[2]
const [n, seconds, settle = 3] = process.argv.slice(3).map(Number)
const last = new Float64Array(n)
const lates = []
let measuring = false
let [runs, early, doubled] = [0, 0, 0]

const handler = (i) => async () => {
  if (!measuring) return
  const now = Date.now()
  // Up to a tenth before a whole second counts as early for it, all else as late for the last one.
  const second = Math.floor((now + 100) / 1000)
  const late = now - second * 1000
  if (late < 0) early++
  if (last[i] === second) doubled++
  else runs++
  last[i] = second
  lates.push(Math.max(0, late))
}

const stop = await subjects[name](n, () => '* * * * * *', handler)
await new Promise((resolve) => setTimeout(resolve, settle * 1000))
await new Promise((resolve) => setTimeout(resolve, 1500 - (Date.now() % 1000)))
measuring = true
const cpu = process.cpuUsage()
const begun = performance.now()
await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
measuring = false
const { user, system } = process.cpuUsage(cpu)
const wall = performance.now() - begun
lates.sort((a, b) => a - b)
const p99 = lates[Math.floor(lates.length * 0.99)] ?? Number.NaN
console.log(
  JSON.stringify({ cpu: (user + system) / 10 / wall, p99, missed: n * seconds - runs, doubled, early }),
)
await stop()
process.exit(0)
