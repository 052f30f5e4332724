import { type Card, type Description, describe } from '../message/describe.ts'
import type { Channel } from '../types/index.ts'
import { plain } from '../util/plain-text.ts'
import { post, turn } from './http.ts'
import { common, type WebhookChannelOptions } from './options.ts'

/** Slack takes 50 blocks; 3,000 characters in a section, 150 in a header. */
const BLOCKS = 50
const SECTION = 3000
const HEADER = 150

/**
 * Sends to a Slack channel, by an incoming webhook.
 *
 * @throws ERR_ESCAPEMENT_OPTION
 *
 * @example
 * alerts({ channels: [slack({ url: process.env.SLACK_WEBHOOK_URL })] })
 */
export function slack(options: WebhookChannelOptions): Channel {
  const { name, app, locale, url, rate } = common(options, {
    name: 'slack',
    locale: 'en',
    rate: { messages: 60, per: 60_000 },
  })
  return {
    name,
    async send(message, { signal }) {
      await turn(url, rate, signal)
      const body = JSON.stringify(payload(describe(message, { locale, app }), message.instance))
      const headers = { 'content-type': 'application/json' }
      const answer = await post({ name, url, body, headers, signal })
      if (answer.text.trim() !== 'ok') throw answer.refused(answer.text.slice(0, 200), { retryable: false })
    },
  }
}

const MARKS = { bad: '🔴', warn: '🟠', info: '🔵', good: '🟢' } as const

function payload({ words, app, title, summary, cards, tone }: Description, instance: string): object {
  const head = `${MARKS[tone]} ${app}: ${title}`
  // Header, a section for each notice, one for those left out, and the foot.
  const shown = cards.slice(0, BLOCKS - 3)
  const left = cards.length - shown.length
  const single = cards.length === 1
  return {
    text: escapeMrkdwn(`${head}: ${summary}`).slice(0, SECTION),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(plain(head, 1000), HEADER), emoji: true } },
      ...shown.map((card) => section(text(card, single))),
      ...(left > 0 ? [section(words.more(left))] : []),
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', text: cut(escapeMrkdwn(words.sentBy(instance)), 300), verbatim: true }],
      },
    ],
  }
}

/** `verbatim`: Slack makes no links and no mentions of what looks like them. */
function section(text: string): object {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(text, SECTION), verbatim: true } }
}

function text(card: Card, single: boolean): string {
  const lines = [`*${escapeMrkdwn(card.title)}*  _${escapeMrkdwn(card.badge)}_`, escapeMrkdwn(card.sentence)]
  if (card.error) lines.push(`\`${escapeMrkdwn(card.error).replaceAll('`', "'")}\``)
  if (single)
    lines.push(
      ...card.facts.map(({ label, value }) => `${escapeMrkdwn(label)}: ${escapeMrkdwn(plain(value, 300))}`),
    )
  if (card.links.length > 0)
    lines.push(card.links.map(({ label, url }) => `<${link(url)}|${escapeMrkdwn(label)}>`).join('   '))
  return lines.join('\n')
}

/** The three characters that mean something to Slack. */
function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** A bar would end the address. */
function link(url: string): string {
  return escapeMrkdwn(url).replaceAll('|', '%7C')
}

function cut(text: string, most: number): string {
  return text.length <= most
    ? text
    : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$|&[a-z]{0,3}$/, '')}…`
}
