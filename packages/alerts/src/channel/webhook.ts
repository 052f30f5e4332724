import { createHmac } from 'node:crypto'
import { checkKeys, fail, integer } from '@escapement/core/plugin'
import type { Channel, Message, Notice } from '../types/index.ts'
import { bytes } from '../util/utf8.ts'
import { post, turn } from './http.ts'
import { checkSecret, common, type WebhookChannelOptions } from './options.ts'

export interface WebhookOptions extends Omit<WebhookChannelOptions, 'locale' | 'app'> {
  /** Signs each request: `X-Escapement-Signature: t=<seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. */
  secret?: string
  headers?: Readonly<Record<string, string>>
  /** The longest body, in bytes. Default 256 KiB. */
  limit?: number
}

const KNOWN = {
  url: 1,
  name: 1,
  rate: 1,
  secret: 1,
  headers: 1,
  limit: 1,
} satisfies Record<keyof WebhookOptions, 1>

/**
 * Sends messages as JSON, as they are: see `Message`. `Idempotency-Key` is the message's id.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function webhook(options: WebhookOptions): Channel {
  checkKeys(options, KNOWN, 'webhook() option')
  const { name, url, rate } = common(
    options,
    { name: 'webhook', locale: 'en', rate: { messages: 60, per: 60_000 } },
    KNOWN,
  )
  const { secret, headers = {}, limit = 262_144 } = options
  integer('webhook: limit', limit, 1024)
  checkSecret('webhook', secret)
  try {
    new Headers(headers)
  } catch {
    // What was given may be a secret.
    fail('webhook: headers', 'an object of names and values that HTTP allows', Object.keys(headers ?? {}))
  }
  return {
    name,
    async send(message, { signal }) {
      await turn(url, rate, signal)
      const body = fit(message, limit)
      const sent = {
        'content-type': 'application/json',
        'idempotency-key': message.id,
        ...headers,
        ...(secret && { 'x-escapement-signature': sign(body, secret) }),
      }
      await post({ name, url, body, headers: sent, signal, secrets: [secret, ...Object.values(headers)] })
    },
  }
}

/** The value of the signature header. */
export function sign(body: string, secret: string, now: number = Date.now()): string {
  const t = Math.floor(now / 1000)
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`
}

/** Without stacks when it is too long, then with shorter errors, then with fewer notices; `omitted` says how many. */
function fit(message: Message, limit: number): string {
  const whole = JSON.stringify(message)
  if (bytes(whole) <= limit) return whole
  const brief = message.notices.map(({ errors, ...notice }): Notice => {
    const last = errors.at(-1)
    return {
      ...notice,
      errors: last ? [{ ...last, message: last.message.slice(0, 200), stack: undefined, causes: [] }] : [],
    }
  })
  for (let kept = brief.length; ; kept = Math.floor(kept / 2)) {
    const body = JSON.stringify({
      ...message,
      notices: brief.slice(0, kept),
      omitted: message.notices.length - kept,
    })
    if (bytes(body) <= limit || kept === 0) return body
  }
}
