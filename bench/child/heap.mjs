// Whether runs leave anything behind: the heap after so many of them, in MB.
import { createScheduler, manual } from '@escapement/core'

const [million, total] = [1e6, Number(process.argv[2])]
const job = createScheduler().job('a', manual(), async () => {})
const heap = []
for (let done = 0; done <= total; done += million) {
  gc()
  heap.push(process.memoryUsage().heapUsed / 1e6)
  for (let i = 0; i < million; i++) await job.run(undefined, { wait: true })
}
console.log(JSON.stringify({ heap }))
process.exit(0)
