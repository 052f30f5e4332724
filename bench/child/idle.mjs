// CPU of a process whose jobs are all far away, in percent of a core.
import { subjects } from '../subjects.mjs'

const name = process.argv[2]
const [n, settle, seconds] = process.argv.slice(3).map(Number)
const month = new Date().getMonth() === 0 ? 12 : 1
await subjects[name](
  n,
  (i) => `${i % 60} 0 ${1 + (i % 28)} ${month} *`,
  () => async () => {},
)
await new Promise((resolve) => setTimeout(resolve, settle * 1000))
const cpu = process.cpuUsage()
const begun = performance.now()
await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const { user, system } = process.cpuUsage(cpu)
console.log(JSON.stringify({ cpu: (user + system) / 10 / (performance.now() - begun) }))
process.exit(0)
