import type { Card, Description } from '../message/describe.ts'
import { plain } from '../util/plain-text.ts'
import { joinWithin } from '../util/utf8.ts'

/** A message in the small markdown that DingTalk, WeCom and Feishu share, within a number of bytes. */
export function markdown(
  { words, cards, title, summary }: Description,
  most: number,
  { head = true }: { head?: boolean } = {},
): string {
  const single = cards.length === 1
  const parts = cards.map((card) => block(card, single))
  const first = head && !single ? [`**${harmless(title)}**\n${harmless(summary)}`] : []
  return joinWithin([...first, ...parts], most, { more: words.more })
}

function block(card: Card, single: boolean): string {
  const lines = [`**${harmless(card.title)}** ${harmless(card.badge)}`, harmless(card.sentence)]
  if (card.error) lines.push(`> ${harmless(card.error)}`)
  if (single) lines.push(...card.facts.map(({ label, value }) => `${label}: ${harmless(plain(value, 300))}`))
  if (card.links.length > 0)
    lines.push(card.links.map(({ label, url }) => `[${label}](${link(url)})`).join(' | '))
  // Two spaces and a break: a line of its own in each of them.
  return lines.join('  \n')
}

/** Nothing of a message may become a link, a mention, or markup. */
function harmless(text: string): string {
  return plain(text, 1000)
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replace(/[[\]`*~#]/g, (char) => MARKS[char] as string)
    .replaceAll('@', '@\u200b')
}

// They have no common way of escaping: look-alikes are safe in all of them.
const MARKS: Record<string, string> = {
  '[': '［',
  ']': '］',
  '`': 'ˋ',
  '*': '∗',

  '~': '∼',
  '#': '＃',
}

function link(url: string): string {
  return url.replaceAll('(', '%28').replaceAll(')', '%29')
}
