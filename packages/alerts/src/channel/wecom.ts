import { describe } from '../message/describe.ts'
import type { Channel } from '../types/index.ts'
import { json } from './answer.ts'
import { post, turn } from './http.ts'
import { markdown } from './markdown.ts'
import { common, type WebhookChannelOptions } from './options.ts'

/** WeCom takes 4,096 bytes of markdown. */
const TEXT = 4096
const TOO_FAST = 45009

/**
 * Sends to a WeCom group, by a group robot. The key is in the address.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 */
export function wecom(options: WebhookChannelOptions): Channel {
  const { name, app, locale, url, rate } = common(options, {
    name: 'wecom',
    locale: 'zh',
    rate: { messages: 20, per: 60_000 },
  })
  return {
    name,
    async send(message, { signal }) {
      await turn(url, rate, signal)
      const content = markdown(describe(message, { locale, app }), TEXT)
      const body = JSON.stringify({ msgtype: 'markdown', markdown: { content } })
      const answer = await post({ name, url, body, headers: { 'content-type': 'application/json' }, signal })
      const { errcode, errmsg } = json(answer)
      if (errcode === 0) return
      const fast = errcode === TOO_FAST
      throw answer.refused(
        `${String(errcode)} ${String(errmsg)}`,
        fast ? { retryAfter: 60_000 } : { retryable: errcode === -1 },
      )
    },
  }
}
