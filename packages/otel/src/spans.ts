import type { Hook, Hooks, Run } from '@escapement/core'
import { describe } from '@escapement/core/plugin'
import {
  type Attributes,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { endAttributes, errorType, faasAttributes, failed, startAttributes } from './attributes.ts'
import type { Settings } from './options.ts'
import { tracerFinder } from './tracer.ts'

/** The spans of runs. A run's span begins in its run hook and ends when the run has its outcome. */
export function spans(options: Settings): Required<Hooks> & { end(run: Run): void } {
  const { propagation, skipSpans } = options
  const findTracer = tracerFinder()
  /** The spans in which runs were asked for. */
  const askers = new WeakMap<Run, SpanContext>()
  const open = new WeakMap<Run, Span>()

  function start(run: Run): Span | undefined {
    const tracer = findTracer()
    return tracer && startSpan(run, { tracer, options, asker: askers.get(run) })
  }

  return {
    request(run) {
      if (propagation === 'none') return
      const asker = trace.getSpanContext(context.active())
      if (asker && isSpanContextValid(asker)) askers.set(run, asker)
    },

    run(run, next) {
      const span = start(run)
      if (!span) return next()
      open.set(run, span)
      return context.with(trace.setSpan(ROOT_CONTEXT, span), next)
    },

    attempt(run, next) {
      const tracer = run.job.policies.retry && findTracer()
      return tracer ? attempt(tracer, run, next) : next()
    },

    end(run) {
      const span = open.get(run) ?? (skipSpans && run.attempt === 0 ? start(run) : undefined)
      if (!span) return
      open.delete(run)
      finish(span, run)
    },
  }
}

interface Starting {
  readonly tracer: Tracer
  readonly options: Settings
  /** The span in which the run was asked for. */
  readonly asker: SpanContext | undefined
}

function startSpan(run: Run, { tracer, options, asker }: Starting): Span {
  const { propagation, faas, lockSpanOver } = options
  const attributes: Attributes = startAttributes(run)
  if (faas) Object.assign(attributes, faasAttributes(run))
  if (options.attributes) Object.assign(attributes, options.attributes(run))
  const name = `job ${run.job.name}`
  // The claim came before; a run that had to wait for it begins there.
  const waited = run.claimedIn !== undefined && run.claimedIn >= lockSpanOver
  const claimed = Date.now()
  const startTime = waited ? claimed - (run.claimedIn as number) : undefined
  const links = asker ? [{ context: asker }] : []
  const span =
    asker && propagation === 'parent'
      ? tracer.startSpan(name, { attributes, startTime }, trace.setSpanContext(ROOT_CONTEXT, asker))
      : tracer.startSpan(name, { root: true, attributes, startTime, links }, ROOT_CONTEXT)
  nameTrace(run, span.spanContext(), options)
  if (waited) {
    const lock = { attributes: { 'job.name': run.job.name }, startTime }
    tracer.startSpan('job.lock.acquire', lock, trace.setSpan(ROOT_CONTEXT, span)).end(claimed)
  }
  return span
}

/** Lets the run say which trace is its own. */
function nameTrace(run: Run, own: SpanContext, options: Settings): void {
  if (!isSpanContextValid(own)) return
  run.traceId = own.traceId
  run.traceparent = `00-${own.traceId}-${own.spanId}-${own.traceFlags.toString(16).padStart(2, '0')}`
  // A trace that is not sampled goes nowhere: a link would lead to nothing.
  if (own.traceFlags & TraceFlags.SAMPLED) run.traceUrl = link(run, own.traceId, options)
}

/** One that cannot be made costs neither the trace nor the run. */
function link(run: Run, traceId: string, options: Settings): string | undefined {
  try {
    return options.traceUrl?.(traceId)
  } catch (error) {
    run.log.warn({ error }, "otel's traceUrl threw: the run has no link to its trace")
  }
}

function attempt(tracer: Tracer, run: Run, next: Parameters<Hook>[1]): ReturnType<Hook> {
  const attributes = { 'job.name': run.job.name, 'job.attempt': run.attempt }
  const span = tracer.startSpan('job.attempt', { attributes })
  const end = () => span.end()
  const fault = (error: unknown) => {
    span.setAttribute('error.type', errorType(error))
    mark(span, error)
    span.end()
    throw error
  }
  const under = context.with(trace.setSpan(context.active(), span), next)
  if (under instanceof Promise) return under.then(end, fault)
  end()
}

function finish(span: Span, run: Run): void {
  if (span.isRecording()) {
    span.setAttributes(endAttributes(run))
    if (failed(run)) mark(span, run.error)
  }
  span.end()
}

function mark(span: Span, error: unknown): void {
  if (error === undefined) {
    span.setStatus({ code: SpanStatusCode.ERROR })
    return
  }
  const { name, message, code, stack } = describe(error)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
  span.recordException({ name, message, ...(code && { code }), ...(stack && { stack }) })
}
