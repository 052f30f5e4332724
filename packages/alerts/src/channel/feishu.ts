import { createHmac } from 'node:crypto'
import { describe } from '../message/describe.ts'
import type { Channel } from '../types/index.ts'
import { oneLine } from '../util/plain-text.ts'
import { json } from './answer.ts'
import { post, turn } from './http.ts'
import { markdown } from './markdown.ts'
import { checkSecret, common, type WebhookChannelOptions } from './options.ts'

export interface FeishuOptions extends WebhookChannelOptions {
  /** Of a robot that is secured by signature. */
  secret?: string
}

/** Feishu takes 20 KB; some are left for the card around the text, and for what JSON escapes. */
const TEXT = 14_000
const TOO_FAST = new Set([9499, 11232])
const COLORS = { bad: 'red', warn: 'orange', info: 'blue', good: 'green' } as const

/**
 * Sends a card to a Feishu or Lark group, by a custom robot.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function feishu(options: FeishuOptions): Channel {
  const { name, app, locale, url, rate } = common(
    options,
    { name: 'feishu', locale: 'zh', rate: { messages: 100, per: 60_000 } },
    { secret: 1 },
  )
  const { secret } = options
  checkSecret('feishu', secret)
  return {
    name,
    async send(message, { signal }) {
      await turn(url, rate, signal)
      const shown = describe(message, { locale, app })
      const title = { tag: 'plain_text', content: oneLine(`${app} · ${shown.title}`, 100) }
      const card = {
        config: { wide_screen_mode: true },
        header: { title, template: COLORS[shown.tone] },
        elements: [{ tag: 'markdown', content: markdown(shown, TEXT, { head: false }) }],
      }
      const body = JSON.stringify({ ...(secret && signature(secret)), msg_type: 'interactive', card })
      const headers = { 'content-type': 'application/json' }
      const answer = await post({ name, url, body, headers, signal, secrets: [secret] })
      const { code, StatusCode, msg } = json(answer)
      if (code === 0 || (code === undefined && StatusCode === 0)) return
      const fast = TOO_FAST.has(code as number)
      throw answer.refused(
        `${String(code)} ${String(msg)}`,
        fast ? { retryAfter: 60_000 } : { retryable: false },
      )
    },
  }
}

/** The time in seconds, and an HMAC over nothing whose key is the time and the secret: valid for an hour. */
export function signature(secret: string, now: number = Date.now()): { timestamp: string; sign: string } {
  const timestamp = String(Math.floor(now / 1000))
  return { timestamp, sign: createHmac('sha256', `${timestamp}\n${secret}`).digest('base64') }
}
