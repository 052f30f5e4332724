import { createHash } from 'node:crypto'
import type { SendError } from '../message/delivery.ts'
import { pause } from '../util/pause.ts'

export interface Post {
  /** The name of the sender, for messages. */
  name: string
  url: string
  body: string
  headers?: Record<string, string>
  method?: 'POST' | 'GET'
  signal: AbortSignal
  /** What must not be seen in any message, besides the address. */
  secrets?: readonly (string | undefined)[]
}

/** An answer with a status from 200 to 299. */
export interface Answer {
  status: number
  text: string
  /** Makes the error for an answer that is a refusal in its body. */
  refused(why: string, hints?: { retryable?: boolean; retryAfter?: number }): SendError
}

/** More of an answer is not read, in bytes. */
const LONGEST = 65_536

/** Sends, and reads the answer. What it throws shows neither the address nor the secrets. */
export async function post({
  name,
  url,
  body,
  headers,
  method = 'POST',
  signal,
  secrets = [],
}: Post): Promise<Answer> {
  const hide = redactor([url, ...secrets])
  const { address, authorization } = withoutCredentials(url)
  const fail = (why: string, hints: { retryable?: boolean; retryAfter?: number } = {}): SendError =>
    Object.assign(new Error(`${name} ${hide(why)}`), hints)
  let response: Response
  let text: string
  try {
    response = await fetch(address, {
      method,
      headers: { 'user-agent': 'escapement', ...authorization, ...headers },
      ...(method === 'POST' && { body }),
      signal,
      // Elsewhere the secrets are not known, or should not be.
      redirect: 'manual',
    })
    text = await read(response)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw fail(`could not be reached: ${reason(error)}`)
  }
  const { status } = response
  if (status >= 200 && status < 300)
    return { status, text, refused: (why, hints) => fail(`refused: ${why}`, hints) }
  const later = status === 408 || status === 429 || status >= 500
  const retryAfter = parseRetryAfter(response.headers.get('retry-after'))
  throw fail(`answered ${status}: ${text.slice(0, 300)}`, {
    retryable: later,
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

async function read(response: Response): Promise<string> {
  if (!response.body) return ''
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > LONGEST) break
  }
  return text
}

/** `fetch` refuses addresses with a user and a password: they become the header that they stand for. */
function withoutCredentials(url: string): { address: string; authorization?: { authorization: string } } {
  const parts = new URL(url)
  const { username, password } = parts
  if (!username && !password) return { address: url }
  parts.username = ''
  parts.password = ''
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    address: parts.href,
    authorization: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
  }
}

/** `fetch failed` says nothing: its cause does. */
function reason(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } }
  return cause ? cause.message || cause.code || message : message
}

function parseRetryAfter(value: string | null): number | undefined {
  if (!value) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), 3_600_000) : undefined
}

/** Takes addresses, the secret parts of them, and other secrets out of a text. */
export function redactor(secrets: readonly (string | undefined)[]): (text: string) => string {
  const words = new Set<string>()
  for (const secret of secrets) {
    if (!secret) continue
    words.add(secret)
    if (!URL.canParse(secret)) continue
    const { pathname, search, searchParams, username, password } = new URL(secret)
    for (const part of [search, username, password, decodeURIComponent(password), ...searchParams.values()])
      words.add(part)
    if (pathname.length > 1) words.add(pathname + search).add(pathname)
    for (const part of pathname.split('/')) if (part.length >= 8) words.add(part)
  }
  // The longest first, so that no half of one is left.
  const found = [...words].filter((word) => word.length >= 4).sort((a, b) => b.length - a.length)
  return (text) => found.reduce((left, word) => left.replaceAll(word, '[redacted]'), text)
}

/** A limit of messages to an address in a time, by all channels of the process that send there. */
export interface Rate {
  messages: number
  /** Milliseconds. */
  per: number
}

interface Bucket {
  tokens: number
  at: number
  /** The turns of those who wait, one after the other. */
  turn: Promise<void>
}

// One robot may be told by several schedulers, and by two copies of this package.
const BUCKETS = Symbol.for('escapement.alerts.buckets')

/**
 * Waits for leave to send. A quarter of the rate may go at once and the rest comes evenly: in no window is
 * the rate exceeded.
 */
export async function turn(url: string, { messages, per }: Rate, signal: AbortSignal): Promise<void> {
  const shared = globalThis as { [BUCKETS]?: Map<string, Bucket> }
  shared[BUCKETS] ??= new Map()
  const buckets = shared[BUCKETS]
  const most = Math.max(1, Math.floor(messages / 4))
  const rate = Math.max(1, messages - most) / per
  const id = createHash('sha256').update(url).digest('base64')
  const mine: Bucket = buckets.get(id) ?? { tokens: most, at: performance.now(), turn: Promise.resolve() }
  buckets.set(id, mine)
  const before = mine.turn
  mine.turn = (async () => {
    await before
    if (signal.aborted) return
    const now = performance.now()
    mine.tokens = Math.min(most, mine.tokens + (now - mine.at) * rate)
    mine.at = now
    if (mine.tokens < 1) await pause((1 - mine.tokens) / rate, signal)
    mine.tokens -= 1
  })()
  await mine.turn
  signal.throwIfAborted()
}
