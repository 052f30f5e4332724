import type { Run, Scheduler, SchedulerOptions } from '@escapement/core'
import { createScheduler } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { context, metrics, trace } from '@opentelemetry/api'
import { MeterProvider, type MetricData, MetricReader } from '@opentelemetry/sdk-metrics'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

/** Registers an SDK that keeps its spans. */
export function registerSdk(sampler?: Sampler): { spans(): ReadableSpan[] } {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register()
  return { spans: () => exporter.getFinishedSpans() }
}

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** Registers an SDK of metrics that are read on demand, by their names. */
export function registerMeters(): { read(): Promise<Record<string, MetricData>> } {
  const reader = new ManualReader()
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  return {
    async read() {
      const { resourceMetrics } = await reader.collect()
      const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
      return Object.fromEntries(all.map((metric) => [metric.descriptor.name, metric]))
    },
  }
}

/** As if no SDK had been there. */
export function unregister(): void {
  trace.disable()
  context.disable()
  metrics.disable()
}

export interface Line extends Record<string, unknown> {
  level: string
  message: string
}

/** A scheduler on a virtual clock that keeps its log and its runs. */
export function harness(options: SchedulerOptions = {}): {
  clock: VirtualClock
  scheduler: Scheduler
  lines: Line[]
  runs: Run[]
} {
  const clock = new VirtualClock()
  const lines: Line[] = []
  const method = (level: string) => (fields: object | string, message?: string) =>
    void lines.push(
      typeof fields === 'string' ? { level, message: fields } : { ...fields, level, message: message ?? '' },
    )
  const logger = {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
  }
  const scheduler = createScheduler({ clock, timezone: 'UTC', logger, ...options })
  const runs: Run[] = []
  scheduler.on('settled', (run) => runs.push(run))
  return { clock, scheduler, lines, runs }
}

/** The trace and span id of where we are. */
export function here(): { traceId: string; spanId: string } | undefined {
  return trace.getSpanContext(context.active())
}
