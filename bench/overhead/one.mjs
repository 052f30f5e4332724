// One variant, in a process of its own: prints nanoseconds per run, the median of several rounds.
import { createScheduler, manual } from '@escapement/core'
import { otel } from '@escapement/otel'
import { prometheus } from '@escapement/prometheus'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

const ROUNDS = 9
const RUNS = 5000

/** Takes the spans and drops them: what it costs to send them depends on the exporter, and is not ours. */
const nowhere = {
  export: (_spans, done) => done({ code: 0 }),
  shutdown: async () => {},
  forceFlush: async () => {},
}

const variants = {
  'no plugin': () => [],
  'otel, no SDK': () => [otel()],
  'otel, not sampled': () => {
    register({ shouldSample: () => ({ decision: 0 }) })
    return [otel()]
  },
  'otel, batch processor': () => {
    register()
    return [otel()]
  },
  prometheus: () => [prometheus()],
  'otel and prometheus': () => {
    register()
    return [otel(), prometheus()]
  },
}

function register(sampler) {
  const spanProcessors = [
    new BatchSpanProcessor(nowhere, { maxQueueSize: 2 * RUNS, maxExportBatchSize: RUNS }),
  ]
  new NodeTracerProvider({ sampler, spanProcessors }).register()
}

const [name, kind] = process.argv.slice(2)
const scheduler = createScheduler({ plugins: variants[name]() })
const handlers = {
  sync: () => {},
  async: async () => {
    await Promise.resolve()
  },
}
const job = scheduler.job('job', manual(), handlers[kind])
await scheduler.start()

const took = []
for (let round = 0; round < ROUNDS; round++) {
  const start = process.cpuUsage()
  for (let i = 0; i < RUNS; i++) await job.run(undefined, { wait: true })
  // The processor's time: others may be busy beside us.
  const { user, system } = process.cpuUsage(start)
  took.push(((user + system) * 1000) / RUNS)
  // Spans are exported between the rounds.
  await new Promise((resolve) => setTimeout(resolve, 20))
}
await scheduler.stop()
// The first rounds warm up.
const warm = took.slice(3).sort((a, b) => a - b)
console.log(Math.round(warm[Math.floor(warm.length / 2)]))
process.exit()
