import { createHmac } from 'node:crypto'
import { fail } from '@escapement/core/plugin'
import { describe } from '../message/describe.ts'
import type { Channel } from '../types/index.ts'
import { oneLine } from '../util/plain-text.ts'
import { json } from './answer.ts'
import { post, turn } from './http.ts'
import { markdown } from './markdown.ts'
import { checkSecret, common, type WebhookChannelOptions } from './options.ts'

export interface DingtalkOptions extends WebhookChannelOptions {
  /** Of a robot that is secured by signature (`SEC…`). */
  secret?: string
  /** Mobile numbers to be mentioned, or everybody. */
  at?: readonly string[] | 'all'
}

/** DingTalk takes 20,000 bytes; some are left for what is around the text. */
const TEXT = 18_000
/** Too fast: it does not listen for a while. */
const TOO_FAST = new Set([130101, 130102, 410100])

/**
 * Sends to a DingTalk group, by a custom robot.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function dingtalk(options: DingtalkOptions): Channel {
  const { name, app, locale, url, rate } = common(
    options,
    { name: 'dingtalk', locale: 'zh', rate: { messages: 20, per: 60_000 } },
    { secret: 1, at: 1 },
  )
  const { secret, at = [] } = options
  checkSecret('dingtalk', secret)
  if (at !== 'all' && !(Array.isArray(at) && at.every((mobile) => typeof mobile === 'string'))) {
    fail('dingtalk: at', "an array of mobile numbers as text, or 'all'", at)
  }
  const mention = at === 'all' ? { isAtAll: true } : { atMobiles: at, isAtAll: false }
  const called = at === 'all' ? '' : at.map((mobile) => `\n\n@${mobile}`).join('')
  return {
    name,
    async send(message, { signal }) {
      await turn(url, rate, signal)
      const shown = describe(message, { locale, app })
      const title = oneLine(`[${app}] ${shown.title}`, 60)
      const text = `### ${oneLine(app, 60)}\n\n${markdown(shown, TEXT)}${called}`
      const body = JSON.stringify({ msgtype: 'markdown', markdown: { title, text }, at: mention })
      const answer = await post({
        name,
        url: secret ? signed(url, secret) : url,
        body,
        headers: { 'content-type': 'application/json' },
        signal,
        secrets: [url, secret],
      })
      const { errcode, errmsg } = json(answer)
      if (errcode === 0) return
      const fast = TOO_FAST.has(errcode as number)
      throw answer.refused(
        `${String(errcode)} ${String(errmsg)}`,
        fast ? { retryAfter: 60_000 } : { retryable: errcode === -1 },
      )
    },
  }
}

/** The address with the time in ms, and its HMAC under the secret: valid for an hour. */
export function signed(url: string, secret: string, now: number = Date.now()): string {
  const address = new URL(url)
  address.searchParams.set('timestamp', String(now))
  address.searchParams.set('sign', createHmac('sha256', secret).update(`${now}\n${secret}`).digest('base64'))
  return address.href
}
