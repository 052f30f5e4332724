import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Received {
  url: string
  type: string
  body: Buffer
}

/** An OTLP receiver in a process of its own. */
export async function receiver(): Promise<{
  url: string
  received(): Promise<Received[]>
  close(): Promise<void>
}> {
  const script = fileURLToPath(new URL('./fixtures/otlp-receiver.mjs', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const url = `http://127.0.0.1:${Number(line.toString())}`
  return {
    url,
    async received() {
      const bodies = (await (await fetch(url)).json()) as { url: string; type: string; body: string }[]
      return bodies.map((given) => ({ ...given, body: Buffer.from(given.body, 'base64') }))
    },
    async close() {
      const gone = once(child, 'exit')
      child.stdin.end()
      await gone
    },
  }
}

export interface WireSpan {
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  kind: string
  status: string
  attributes: Record<string, string>
  links: { traceId: string; spanId: string }[]
  events: string[]
  resource: Record<string, string>
  scope: string
  start: bigint
  end: bigint
}

/**
 * What Google's decoder reads in an export, by OpenTelemetry's own definitions. It knows nothing of how the
 * body was made.
 */
export function decode(body: Buffer): WireSpan[] {
  const main = createRequire(import.meta.url).resolve('otlp-protos/package.json')
  const protos = join(dirname(main), 'build/protos')
  const service = 'opentelemetry/proto/collector/trace/v1'
  let text: string
  try {
    const message = 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest'
    const args = [`--decode=${message}`, '-I', protos, `${service}/trace_service.proto`]
    text = execFileSync('protoc', args, { input: body, encoding: 'latin1' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error('protoc is needed: apt-get install protobuf-compiler, or brew install protobuf')
  }
  return parseText(text)
    .all('resource_spans')
    .flatMap((resourceSpans) => {
      const resource = attributes(resourceSpans.all('resource')[0])
      return resourceSpans.all('scope_spans').flatMap((scopeSpans) =>
        scopeSpans.all('spans').map((span) => ({
          traceId: span.hex('trace_id'),
          spanId: span.hex('span_id'),
          parentSpanId: span.hex('parent_span_id'),
          name: span.text('name'),
          kind: span.text('kind'),
          status: span.all('status')[0]?.text('code') ?? '',
          attributes: attributes(span),
          links: span
            .all('links')
            .map((link) => ({ traceId: link.hex('trace_id'), spanId: link.hex('span_id') })),
          events: span.all('events').map((event) => event.text('name')),
          resource,
          scope: scopeSpans.all('scope')[0]?.text('name') ?? '',
          start: BigInt(span.text('start_time_unix_nano')),
          end: BigInt(span.text('end_time_unix_nano')),
        })),
      )
    })
}

function attributes(message: Message | undefined): Record<string, string> {
  const pairs = message?.all('attributes').map((pair) => {
    const value = pair.all('value')[0]
    return [pair.text('key'), value?.any() ?? '']
  })
  return Object.fromEntries(pairs ?? [])
}

/** A message in protoc's text format: names of fields, and for each its values. */
class Message {
  readonly fields: Map<string, (string | Message)[]> = new Map()

  add(name: string, value: string | Message): void {
    this.fields.set(name, [...(this.fields.get(name) ?? []), value])
  }
  all(name: string): Message[] {
    return (this.fields.get(name) ?? []) as Message[]
  }
  text(name: string): string {
    return (this.fields.get(name)?.[0] as string | undefined) ?? ''
  }
  hex(name: string): string {
    return Buffer.from(this.text(name), 'latin1').toString('hex')
  }
  any(): string {
    return [...this.fields.values()][0]?.[0] as string
  }
}

function parseText(text: string): Message {
  const stack = [new Message()]
  for (const line of text.split('\n')) {
    const current = stack.at(-1) as Message
    const [, name = '', rest] = /^\s*(\w+)(?:: (.*)| \{)$/.exec(line) ?? []
    if (line.endsWith('{')) {
      const inner = new Message()
      current.add(name, inner)
      stack.push(inner)
    } else if (line.trim() === '}') stack.pop()
    else if (rest !== undefined) current.add(name, rest.startsWith('"') ? unquote(rest.slice(1, -1)) : rest)
  }
  return stack[0] as Message
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' }

function unquote(text: string): string {
  return text.replace(/\\([0-7]{3}|.)/g, (_, escaped: string) =>
    /^[0-7]{3}$/.test(escaped)
      ? String.fromCharCode(Number.parseInt(escaped, 8))
      : (ESCAPES[escaped] ?? escaped),
  )
}
