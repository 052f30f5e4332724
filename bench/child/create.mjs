// Creates 100,000 jobs and tells how long that took and what each keeps of the heap.
import { subjects } from '../subjects.mjs'

const [name, n, distinct] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const expression =
  distinct === 1 ? () => '*/5 * * * *' : (i) => `${Math.floor((i % 3600) / 60)} ${i % 60} * * * *`
const run = async () => {}
const noop = () => run
await (await subjects[name](10, expression, noop))()
gc()
const before = process.memoryUsage().heapUsed
const begun = performance.now()
await subjects[name](n, expression, noop)
const ms = performance.now() - begun
gc()
console.log(JSON.stringify({ ms, bytes: (process.memoryUsage().heapUsed - before) / n }))
process.exit(0)
